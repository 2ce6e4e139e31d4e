// Variables that look like ours and are not: a slip of the keyboard must not leave a default in force unseen.

/** Nobody else's: each unknown name is a mistake. */
const OURS = 'POSTROOM_'
/** Other programs use these too (MCP_TIMEOUT, SMTP_USER): a mistake only where one of our names is close. */
const SHARED = ['WEBHOOK_', 'OUTBOUND_', 'MCP_', 'SMTP_', 'AGENT_']
/** Two slips: a letter more and one wrong, or two swapped. */
const CLOSE = 2
/** A name under our own prefix is further off and still meant: the nearest is offered. */
const OFFERED = 6

export interface Strangers {
  mistaken: { variable: string; right: string }[]
  ignored: string[]
}

/** Sorts the names that are not ours into mistakes, which stop the start, and the rest. */
export function strangers(names: readonly string[], known: readonly string[]): Strangers {
  const unknown = names.filter(
    (name) => [OURS, ...SHARED].some((prefix) => name.startsWith(prefix)) && !known.includes(name),
  )
  const found: Strangers = { mistaken: [], ignored: [] }
  for (const variable of unknown.sort()) {
    const { name, distance } = nearest(variable, known)
    if (distance <= CLOSE) found.mistaken.push({ variable, right: `spelt ${name}` })
    if (distance > CLOSE && variable.startsWith(OURS)) {
      const offer = distance <= OFFERED ? ` (did you mean ${name}?)` : ''
      found.mistaken.push({ variable, right: `unset, since there is no such setting${offer}` })
    }
    if (distance > CLOSE && !variable.startsWith(OURS)) found.ignored.push(variable)
  }
  return found
}

function nearest(variable: string, known: readonly string[]) {
  return known
    .map((name) => ({ name, distance: edits(variable, name) }))
    .reduce((best, next) => (next.distance < best.distance ? next : best))
}

/** Levenshtein's distance: how many letters to add, drop or change. */
function edits(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (const [i, letter] of [...from].entries()) {
    const next = [i + 1]
    for (const [j, other] of [...to].entries()) {
      const changed = (row[j] ?? 0) + (letter === other ? 0 : 1)
      next.push(Math.min(changed, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1))
    }
    row = next
  }
  return row.at(-1) ?? 0
}
