// Which known name a mistyped one was meant to be.

/** So many letters added, dropped or changed are a slip; a short word allows one. */
const SLIPS = 2
const SHORT = 4
/** A part of a name that is long enough to mean it: "body" for "text_body". */
const TELLING_PART = 4

/** The known name that `word` comes closest to; undefined where none is near. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const plain = bare(word)
  const same = known.find((name) => bare(name) === plain)
  if (same !== undefined) return same
  const [best] = known
    .map((name) => ({ name, distance: edits(plain, bare(name)) }))
    .sort((a, b) => a.distance - b.distance)
  if (best !== undefined && best.distance <= (plain.length <= SHORT ? 1 : SLIPS)) return best.name
  if (plain.length < TELLING_PART) return undefined
  return known.find((name) => bare(name).includes(plain) || plain.includes(bare(name)))
}

/** camelCase, kebab-case and snake_case of one name are the same. */
const bare = (name: string) => name.toLowerCase().replace(/[^a-z0-9]/g, '')

/** Levenshtein's distance. */
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
