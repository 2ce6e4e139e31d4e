// A mail for whoever can be told nothing but ASCII: where the header of the mail is UTF-8, its international addresses become words. Pure.
import libmime from 'libmime'

const NOT_ASCII = /\P{ASCII}/u
/** Addresses of a field; a comma inside a quoted name parts nothing. RFC 5322 §3.4. */
const ADDRESSES = /(?:"(?:[^"\\]|\\.)*"|[^",])+/g
/** Octets of letters in a word: RFC 2047 §2 allows 75 characters of it. */
const WORD_LENGTH = 52

/**
 * The mail with a header in ASCII; the mail itself where it has one. Addresses that are not stand in it as the names of
 * groups without members: they are read, and answered by nobody (RFC 6857 §3.1.8). The rest stays as it is.
 */
export function asciiCopy(raw: Uint8Array): Uint8Array {
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength)
  const end = bytes.indexOf('\r\n\r\n')
  const head = bytes.subarray(0, end < 0 ? bytes.length : end).toString()
  if (!NOT_ASCII.test(head)) return raw
  const fields = head.split(/\r\n(?![ \t])/)
  const plain = fields.map((field) => (NOT_ASCII.test(field) ? inAscii(field) : field))
  const rest = end < 0 ? Buffer.alloc(0) : bytes.subarray(end)
  return Buffer.concat([Buffer.from(plain.join('\r\n')), rest])
}

function inAscii(field: string): string {
  const colon = field.indexOf(':') + 1
  const value = field.slice(colon).replace(/\r\n/g, '')
  const addresses = value.match(ADDRESSES) ?? []
  const told = addresses.map((one) => (NOT_ASCII.test(one) ? asWords(one) : one).trim())
  return `${field.slice(0, colon)} ${told.join(',\r\n ')}`
}

/** Blanks around an encoded word are asked for in a phrase: RFC 2047 §5. Each has a line of its own. */
function asWords(address: string): string {
  const words = libmime.encodeWord(libmime.decodeWords(address).trim(), 'B', WORD_LENGTH)
  return `${words.replaceAll('?= =?', '?=\r\n =?')} :;`
}
