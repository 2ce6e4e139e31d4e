// The fields of ARC before anything is verified. RFC 8617 §4.1.
import { type Field, unfolded } from './header.ts'
import { isTame } from './signatures.ts'

/** RFC 8617 §4.1.2 and §4.1.3, with RFC 6376 §3.5: tags that must be there, spelled like this. */
const REQUIRED = new Map([
  ['arc-seal', ['i', 'a', 'b', 'cv', 'd', 's']],
  ['arc-message-signature', ['i', 'a', 'b', 'bh', 'd', 'h', 's']],
])

export const isArc = (key: string) => REQUIRED.has(key) || key === 'arc-authentication-results'

/** Why these fields cannot be a chain; undefined where they may be one. */
export function problemOfChain(fields: readonly Field[]): string | undefined {
  const wrong = fields.find((field) => !isSound(field))
  return wrong === undefined ? undefined : `malformed ${wrong.key}`
}

function isSound(field: Field): boolean {
  const required = REQUIRED.get(field.key)
  if (required === undefined) return true
  return isTame(field.line) && hasTags(unfolded(field), required)
}

/**
 * RFC 6376 §3.2: a list of names with values, each name once, in this spelling
 * (mailauth 4.13.3 takes any spelling, the last of two, and skips what is no tag).
 */
function hasTags(list: string, required: readonly string[]): boolean {
  const tags = list.split(';')
  if (tags.at(-1)?.trim() === '') tags.pop()
  const names = tags.map((tag) => /^\s*([A-Za-z][A-Za-z0-9_]*)\s*=/.exec(tag)?.[1] ?? '')
  const distinct = new Set(names.map((name) => name.toLowerCase()))
  return (
    distinct.size === names.length &&
    !distinct.has('') &&
    required.every((name) => names.includes(name))
  )
}
