// Simple selectors: tag, id, class, attribute, and descendants of these.

export interface Compound {
  tag: string | null
  id: string | null
  classes: readonly string[]
  attributes: readonly { name: string; test: (value: string) => boolean }[]
  not: readonly Compound[]
}

export interface Selector {
  /** The element itself first, then what it must lie in. `child`: directly in it. */
  compounds: readonly Step[]
  /** Comparable weight of ids, classes and tags (Selectors 4 §17). */
  specificity: number
}

/** What a selector asks of an element. */
export interface Target {
  tag: string
  id: string
  classes: readonly string[]
  attributes: ReadonlyMap<string, string>
  parent: Target | null
}

const COMPOUNDS_LIMIT = 8
/** States that a mail at rest is not in, and boxes that hold no text of the mail. */
const NEVER =
  /::|:(?:hover|active|focus|visited|target|checked|before|after|first-line|first-letter|empty|root\b.*:dark)/

/**
 * Reads one selector. Null where it never holds for a mail at rest or cannot be read.
 * Sibling combinators and unknown pseudo-classes count as met: text hidden by such a rule must not
 * reach the reader, and a visible text lost that way can still be read in the HTML.
 */
export function parseSelector(text: string): Selector | null {
  const source = text.trim()
  if (source === '' || source.length > 300 || NEVER.test(source)) return null
  const parts = source.match(/(?:\([^)]*\)|\[[^\]]*\]|[^\s>+~([])+|[>+~]/g) ?? []
  const compounds = parts.reduce<Step[] | null>(
    (steps, part, at) => steps && withPart(steps, part, parts[at - 1]),
    [],
  )
  if (!compounds || compounds.length === 0 || compounds.length > COMPOUNDS_LIMIT) return null
  const specificity = compounds.reduce((sum, { compound }) => sum + weight(compound), 0)
  return { compounds: compounds.reverse(), specificity }
}

interface Step {
  compound: Compound
  child: boolean
}

function withPart(steps: readonly Step[], part: string, before = ''): Step[] | null {
  if (/^[>+~]$/.test(part)) return [...steps]
  const compound = parseCompound(part)
  if (!compound) return null
  const isSibling = before === '+' || before === '~'
  return [...(isSibling ? steps.slice(0, -1) : steps), { compound, child: before === '>' }]
}

function weight({ tag, id, classes, attributes, not }: Compound): number {
  const inner = not.reduce((sum, compound) => sum + weight(compound), 0)
  const own = (id ? 10_000 : 0) + (classes.length + attributes.length) * 100 + (tag ? 1 : 0)
  return own + inner
}

const TOKEN =
  /([a-z][\w:-]*|\*)|#([^\s.#:[\]()]+)|\.([^\s.#:[\]()]+)|\[([^\]]{1,100})\]|:not\(([^()]{1,80})\)|:[\w-]+(?:\([^)]*\))?/giy

function parseCompound(text: string): Compound | null {
  const tokens = [...text.matchAll(TOKEN)]
  const read = tokens.reduce((sum, [whole]) => sum + whole.length, 0)
  if (read !== text.length) return null
  const all = (group: number) => tokens.flatMap((token) => token[group] ?? [])
  const [tag = '*'] = all(1)
  return {
    tag: tag === '*' ? null : tag.toLowerCase(),
    id: all(2)[0] ?? null,
    classes: all(3),
    attributes: all(4).map(parseAttribute),
    not: all(5).flatMap((inner) => parseCompound(inner) ?? []),
  }
}

function parseAttribute(text: string): { name: string; test: (value: string) => boolean } {
  const [, name = '', operator, quoted = ''] =
    /^\s*([\w:-]+)\s*(?:([~|^$*]?=)\s*(.*?))?\s*(?:\s[is])?\s*$/i.exec(text) ?? []
  const wanted = quoted.replace(/^(["'])(.*)\1$/, '$2')
  return { name: name.toLowerCase(), test: attributeTest(operator, wanted) }
}

function attributeTest(operator: string | undefined, wanted: string): (value: string) => boolean {
  switch (operator) {
    case undefined:
      return () => true
    case '^=':
      return (value) => wanted !== '' && value.startsWith(wanted)
    case '$=':
      return (value) => wanted !== '' && value.endsWith(wanted)
    case '*=':
      return (value) => wanted !== '' && value.includes(wanted)
    case '~=':
      return (value) => value.split(/\s+/).includes(wanted)
    case '|=':
      return (value) => value === wanted || value.startsWith(`${wanted}-`)
    default:
      return (value) => value === wanted
  }
}

/** Farther up than this no ancestor is looked for: it counts as found. */
const CLIMB_LIMIT = 100

/** Counts comparisons, so that a mail cannot ask for any number of them. */
export interface Effort {
  spent: number
}

/** Whether the selector holds for the element. */
export function matches({ compounds }: Selector, target: Target, effort: Effort): boolean {
  const [first, ...outer] = compounds
  effort.spent += 1
  if (!first || !meets(first.compound, target)) return false
  let inner = first
  let place: Target | null = target.parent
  let climbed = 0
  for (const part of outer) {
    while (place && !inner.child && !meets(part.compound, place)) {
      place = place.parent
      climbed += 1
      effort.spent += 1
      if (climbed > CLIMB_LIMIT) return true
    }
    if (!place || !meets(part.compound, place)) return false
    place = place.parent
    inner = part
  }
  return true
}

function meets(compound: Compound, target: Target): boolean {
  const { tag, id, classes, attributes, not } = compound
  if (tag && tag !== target.tag) return false
  if (id && id !== target.id) return false
  if (!classes.every((name) => target.classes.includes(name))) return false
  const hasAll = attributes.every(({ name, test }) => {
    const value = target.attributes.get(name)
    return value !== undefined && test(value)
  })
  return hasAll && !not.some((inner) => meets(inner, target))
}
