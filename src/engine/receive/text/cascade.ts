// Which declarations win for an element: its own style and the rules that meet it (CSS Cascade 4 §6).
import { type Declaration, parseDeclarations, type Rule, ruleKey } from './css.ts'
import { type Effort, matches, type Target } from './selector.ts'

/** Comparisons of a rule with an element; a large newsletter needs some 100,000. */
const EFFORT_LIMIT = 400_000
const REMEMBERED_STYLES = 5_000
const UNDECIDED: readonly Declaration[] = [{ property: 'display', value: 'none', important: true }]
const NONE: readonly Declaration[] = []

export interface Cascade {
  /** The declarations for an element, the winning ones last. */
  declarations: (target: Target, style: string | undefined) => readonly Declaration[]
  /** The limit of comparisons was passed: what came after counts as hidden. */
  exhausted: () => boolean
}

export function createCascade(rules: readonly Rule[]): Cascade {
  const byKey = new Map<string, Rule[]>()
  for (const rule of rules) {
    const [last] = rule.selector.compounds
    if (last) append(byKey, ruleKey(last.compound), rule)
  }
  const remembered = new Map<string, readonly Declaration[]>()
  const effort: Effort = { spent: 0 }

  const meeting = (target: Target): Rule[] => {
    const keys = [`#${target.id}`, ...target.classes.map((name) => `.${name}`), target.tag, '*']
    const candidates = keys.flatMap((key) => byKey.get(key) ?? [])
    return candidates.filter((rule) => matches(rule.selector, target, effort))
  }
  const styleOf = (style: string): readonly Declaration[] => {
    const known = remembered.get(style)
    if (known) return known
    const read = parseDeclarations(style)
    if (remembered.size < REMEMBERED_STYLES) remembered.set(style, read)
    return read
  }

  return {
    exhausted: () => effort.spent > EFFORT_LIMIT,
    declarations(target, style) {
      const own = style === undefined ? NONE : styleOf(style)
      if (rules.length === 0) return ranked(NONE, own)
      if (effort.spent > EFFORT_LIMIT) return UNDECIDED
      return ranked(fromRules(meeting(target)), own)
    },
  }
}

function append(map: Map<string, Rule[]>, key: string, rule: Rule): void {
  const list = map.get(key)
  if (list) list.push(rule)
  else map.set(key, [rule])
}

function fromRules(rules: Rule[]): readonly Declaration[] {
  if (rules.length === 0) return NONE
  return rules
    .sort((a, b) => a.selector.specificity - b.selector.specificity || a.order - b.order)
    .flatMap(({ declarations }) => declarations)
}

function ranked(rules: readonly Declaration[], own: readonly Declaration[]) {
  const all = rules.length === 0 ? own : [...rules, ...own]
  if (!all.some(({ important }) => important)) return all
  return [...all.filter(({ important }) => !important), ...all.filter(({ important }) => important)]
}
