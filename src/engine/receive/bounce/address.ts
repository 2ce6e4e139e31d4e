// Addresses as reports write them: the ones we sent to, so dots and letters are not judged here.

/**
 * Letters beyond ASCII without the punctuation of other scripts, RFC 6531 §3.3. A range, for
 * \p{L} in an expression that ignores case takes 5 ms to compile, and the table has a hundred.
 */
const WIDE = String.raw`\u00aa-\u1fff\u2c00-\u2dff\u3040-\ufeff`
/** RFC 5322 §3.2.3 atext and the dot; a quotation mark may be part of it, but begins none. */
const ATEXT = String.raw`\w!#$%&*+/=?^{|}~.${WIDE}-`
/** Bounded for time, and by RFC 5321 §4.5.3.1. */
const LOCAL = `[${ATEXT}][${ATEXT}']{0,127}`
const DOMAIN = String.raw`[a-z\d${WIDE}](?:[\w${WIDE}-]{0,62}\.){1,10}[a-z\d${WIDE}-]{2,62}`

/** An address in running text, as the source of an expression with the flag `i`. */
export const ADDRESS = `${LOCAL}@${DOMAIN}`

const ANYWHERE = new RegExp(`(?<![${ATEXT}])${ADDRESS}`, 'gi')
/** What stood around the address: a sentence, a quotation mark. */
const TRIMMED = /^[/'=.]+|[.'-]+$/g

export const trimmedAddress = (text: string) => text.replace(TRIMMED, '')

/** The addresses of a text in their order. */
export const addressesIn = (text: string) =>
  text.includes('@') ? (text.match(ANYWHERE) ?? []).map(trimmedAddress) : []

const TYPED = /^\s*(?:rfc-?822|utf-8|smtp)\s*;\s*/i
/** RFC 6533 §3: utf-8-addr-xtext. */
const UNITEXT = /\\x\{([\dA-F]{1,6})\}/gi
const MAX_ADDRESS = 320

/**
 * The address of a recipient field, RFC 3464 §2.3.1: its type before a semicolon, or none, or angles.
 * @returns null for the addresses of other worlds (x400;) and for what has no @
 */
export function fieldAddress(value: string | undefined): string | null {
  if (value === undefined || (value.includes(';') && !TYPED.test(value))) return null
  const bare = value.replace(TYPED, '').replace(UNITEXT, letter)
  const address = (/<([^<>]{1,320})>/.exec(bare)?.[1] ?? bare).trim()
  const whole = address.replace(/\s*\(.*$/s, '')
  return /^[^\s@,;<>]+@[^\s@,;<>]+$/.test(whole) && whole.length <= MAX_ADDRESS ? whole : null
}

function letter(whole: string, hex: string): string {
  const point = Number.parseInt(hex, 16)
  return point <= 0x10ffff ? String.fromCodePoint(point) : whole
}
