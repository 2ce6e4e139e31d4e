/** What PostgreSQL refuses in text and JSON, U+0000 and halves of surrogate pairs, becomes U+FFFD before it is stored. */

const NUL = /\0/g
/** The escape as JSON text writes it: its backslash is not itself escaped. */
const ESCAPED_NUL = /(?<!\\)((?:\\\\)*)\\u0000/g
/** JSON.stringify escapes the half of a surrogate pair, which stays when a text is cut in the middle of an emoji. */
const ESCAPED_HALF =
  /(?<!\\)((?:\\\\)*)(?:\\ud[89ab][0-9a-f]{2}(?!\\ud[c-f])|(?<!\\ud[89ab][0-9a-f]{2})\\ud[c-f][0-9a-f]{2})/gi
const REFUSED_IN_JSON = /\\u(?:0000|d)/i
const JSON_START = /^\s*[[{"]/

/** The value with no U+0000 in any text of it, keys included; the same object where there was none. */
export function withoutNul(value: unknown): unknown {
  if (typeof value === 'string') return cleanText(value)
  if (Array.isArray(value)) return cleanList(value)
  return isPlainObject(value) ? cleanObject(value) : value
}

function cleanText(text: string): string {
  const plain = text.includes('\0') ? text.replace(NUL, '\uFFFD') : text
  // Only text that is JSON: in prose the six characters of the escape are just what was written.
  if (!plain.includes('\\u') || !REFUSED_IN_JSON.test(plain) || !isJson(plain)) return plain
  return plain.replace(ESCAPED_NUL, '$1\\ufffd').replace(ESCAPED_HALF, '$1\\ufffd')
}

function isJson(text: string): boolean {
  if (!JSON_START.test(text)) return false
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function cleanList(list: unknown[]): unknown[] {
  const clean = list.map(withoutNul)
  return clean.some((item, i) => item !== list[i]) ? clean : list
}

function cleanObject(object: Record<string, unknown>): Record<string, unknown> {
  const entries = Object.entries(object)
  const clean = entries.map(([key, item]) => [cleanText(key), withoutNul(item)] as const)
  const same = clean.every(([key, item], i) => key === entries[i]?.[0] && item === entries[i]?.[1])
  return same ? object : Object.fromEntries(clean)
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
