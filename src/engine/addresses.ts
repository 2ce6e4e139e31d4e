// Mail addresses as people and agents type them: one strict reading, so that nobody is added silently.
import { z } from 'zod'
import { toALabels, toULabels } from './domain-name.ts'
import { type Detail, ValidationFailed } from './errors.ts'

export interface Address {
  email: string
  name?: string
}

export const MAX_ADDRESSES = 50

/** RFC 5321 §4.5.3.1, RFC 6531 §3.3: octets, of UTF-8 where it is not ASCII. */
const MAX_LOCAL_PART = 64
const MAX_ADDRESS = 254
const MAX_LABEL = 63
const MAX_NAME = 256
const SHOWN = 80

const addressInput = z.union([
  z.string(),
  z.strictObject({ email: z.string(), name: z.string().nullish() }),
])

/** What a caller may give for an address field: "a@b", "Name <a@b>" or {email, name}, one or a list of them. */
export const addressesInput = z.union([addressInput, z.array(addressInput)])
export type AddressesInput = z.output<typeof addressesInput>

/** RFC 5322 §3.2.3 atext without % and !, which old gateways read as routes to somebody else. */
const DOT_ATOM = /^[\w#$&'*+/=?^`{|}~-]+(\.[\w#$&'*+/=?^`{|}~-]+)*$/
/**
 * What RFC 6531 §3.3 adds to it, as narrow as RFC 8264 §4.2 has it for identifiers: letters, marks and digits; nothing
 * that has no shape or turns the reading direction, no joiners, symbols or code points that stand for nothing.
 */
const INTERNATIONAL = /(?!\p{Default_Ignorable_Code_Point}|\p{Bidi_Control})[\p{L}\p{M}\p{Nd}]/u
/** A mark that would stand upon a dot, a sign or the beginning. */
const STRAY_MARK = /(?<![\p{L}\p{M}\p{N}])\p{M}/u
const NOT_ASCII = /\P{ASCII}/gu
const LABEL = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/
/** A domain as people write it; `toALabels` alone would also take %-escapes and IPv4 in odd spellings. */
const WRITTEN_DOMAIN = /^[\p{L}\p{N}\p{M}.-]+$/u
const CONTROLS = /[\p{Cc}\u2028\u2029]/u
/** Specials that would let an unquoted name be read as further addresses. RFC 5322 §3.2.3. */
const NAME_SPECIALS = /[<>[\]:;@\\,"]/
const QUOTED_NAME = /^"((?:[^"\\]|\\.)*)"$/
const NAMED = /^(.*)<([^<>]*)>$/su

/**
 * Reads an address field.
 * @param value as the caller gave it; @param field its name, for the details
 * @returns the addresses in their order, the first of those that differ in letter case only, and what is wrong with the others
 */
export function readAddresses(
  value: AddressesInput | undefined,
  field: string,
): { addresses: Address[]; problems: Detail[] } {
  if (value === undefined) return { addresses: [], problems: [] }
  const items = Array.isArray(value) ? value : [value]
  if (items.length > MAX_ADDRESSES) {
    const message = `holds ${items.length} addresses; at most ${MAX_ADDRESSES} fit in a field`
    return { addresses: [], problems: [{ field, message }] }
  }
  const addresses: Address[] = []
  const problems: Detail[] = []
  items.forEach((item, index) => {
    const read = readAddress(item)
    if (typeof read !== 'string') addresses.push(read)
    else problems.push({ field: Array.isArray(value) ? `${field}.${index}` : field, message: read })
  })
  return { addresses: withoutRepeats(addresses), problems }
}

/** One address, or the words that say what is wrong with it. */
export function readAddress(
  input: string | { email: string; name?: string | null | undefined },
): Address | string {
  if (typeof input === 'string') return readText(input)
  const email = readEmail(input.email)
  return 'problem' in email ? email.problem : named(email.email, input.name ?? '')
}

/**
 * One line of an allow- or block-list: an address or a domain ("example.com" or "@example.com"), in lower case.
 * Throws ValidationFailed that names `field`.
 */
export function parseEntry(text: string, field: string): string {
  const entry = text.trim()
  if (entry.lastIndexOf('@') > 0) {
    const email = readEmail(entry)
    if ('email' in email) return mailboxKey(email.email)
    throw new ValidationFailed([{ field, message: email.problem }])
  }
  const domain = readDomain(entry.replace(/^@/, ''))
  if (domain !== undefined) return domain
  throw new ValidationFailed([
    { field, message: `${shown(text)} is neither an address nor a domain` },
  ])
}

/** The domain of an address that was read, in lower case. */
export function domainOf(email: string): string {
  return email.slice(email.lastIndexOf('@') + 1).toLowerCase()
}

/**
 * An address as it is compared, also one that somebody else wrote: in lower case, the local part in NFC, an
 * international domain in its xn-- form. Two spellings of one mailbox have one key.
 */
export function mailboxKey(email: string): string {
  if (isAscii(email)) return email.toLowerCase()
  const at = email.lastIndexOf('@') + 1
  const domain = email.slice(at).toLowerCase()
  return email.slice(0, at).normalize().toLowerCase() + (readDomain(domain) ?? domain)
}

/** Whether every server can be told of the address; else the mail needs SMTPUTF8. RFC 6531. */
export const isAscii = (email: string) => email.search(NOT_ASCII) < 0

/** The first of each address; letter case does not make another mailbox. */
export function withoutRepeats(addresses: readonly Address[]): Address[] {
  const seen = new Set<string>()
  return addresses.filter(({ email }) => {
    const key = mailboxKey(email)
    return !seen.has(key) && seen.add(key)
  })
}

function readText(text: string): Address | string {
  if (CONTROLS.test(text)) return `${shown(text)} holds a control character or a line break`
  const [, name = '', email] = NAMED.exec(text.trim()) ?? []
  if (email === undefined) {
    const bare = readEmail(text)
    return 'problem' in bare ? bare.problem : { email: bare.email }
  }
  const spelled = readName(name.trim())
  if (spelled === undefined) {
    return `${shown(text)} has a name with one of < > [ ] : ; @ \\ , " in it; put the name in double quotes, and give each address its own item of the list`
  }
  const read = readEmail(email)
  return 'problem' in read ? read.problem : named(read.email, spelled)
}

/** The words of a name as written before <…>: a quoted string or plain words; undefined where it is neither. */
function readName(written: string): string | undefined {
  const quoted = QUOTED_NAME.exec(written)?.[1]
  if (quoted !== undefined) return quoted.replace(/\\(.)/g, '$1')
  return NAME_SPECIALS.test(written) ? undefined : written
}

function named(email: string, spelled: string): Address | string {
  if (CONTROLS.test(spelled) || !spelled.isWellFormed()) {
    return `the name ${shown(spelled)} holds a control character or a line break`
  }
  const name = spelled.trim().replace(/\s+/gu, ' ')
  if (name.length > MAX_NAME) return `the name ${shown(name)} is longer than ${MAX_NAME} characters`
  return name === '' ? { email } : { email, name }
}

function readEmail(text: string): { email: string } | { problem: string } {
  const written = text.trim()
  const at = written.lastIndexOf('@')
  const local = written.slice(0, at)
  const name = readLocalPart(local)
  const domain = readDomain(written.slice(at + 1))
  if (at < 1) return { problem: `${shown(text)} is not an address like name@example.com` }
  if (/[,;]/.test(written) || local.includes('@')) {
    return { problem: `${shown(text)} is not one address; give each its own item of the list` }
  }
  if (name === undefined) {
    return {
      problem: `${shown(text)} cannot be written to: before the @ stand letters, digits or . _ - + and the like, ${MAX_LOCAL_PART} octets at most, no quotes, spaces, symbols, invisible characters, % or !`,
    }
  }
  const email = `${name}@${domain}`
  if (domain === undefined || !fits(name, domain)) {
    return { problem: `${shown(text)} has no valid domain after the @` }
  }
  return { email }
}

/** The local part in NFC (RFC 6532 §3.1); undefined where it is none that is written to. */
function readLocalPart(written: string): string | undefined {
  const foreign = written.match(NOT_ASCII) ?? []
  const local = written.normalize()
  const plain = local.replace(NOT_ASCII, 'x')
  const sound = DOT_ATOM.test(plain) && !STRAY_MARK.test(local) && foreign.every(isInternational)
  return sound && Buffer.byteLength(local) <= MAX_LOCAL_PART ? local : undefined
}

/** Not what looks like another character and is another way to write it: ａ, ﬁ, 𝐚, the Kelvin sign. RFC 8264 §9.17. */
function isInternational(character: string): boolean {
  const same = character.normalize()
  return INTERNATIONAL.test(character) && !isAscii(same) && character.normalize('NFKC') === same
}

/** In whichever form the domain goes over the wire: beside an international local part that is letters. */
function fits(local: string, domain: string): boolean {
  const wire = isAscii(local) ? domain : toULabels(domain)
  const octets = Math.max(domain.length, Buffer.byteLength(wire))
  return Buffer.byteLength(local) + 1 + octets <= MAX_ADDRESS
}

/** A domain in lower case, international ones in their xn-- form; undefined where it is none. RFC 1035 §2.3.1, RFC 5890. */
export function readDomain(text: string): string | undefined {
  if (text.length > MAX_ADDRESS || !WRITTEN_DOMAIN.test(text)) return undefined
  const domain = toALabels(text.toLowerCase())
  const labels = domain.split('.')
  if (!labels.every((label) => LABEL.test(label) && label.length <= MAX_LABEL)) return undefined
  // A last label of digits would be an IPv4 address in disguise. RFC 3696 §2.
  return /^\d+$/.test(labels.at(-1) ?? '') ? undefined : domain
}

/** What cannot be seen is told by its number. */
const UNSEEN = /[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}]/gu
const numbered = (character: string) =>
  character === ' ' ? ' ' : `\\u{${character.codePointAt(0)?.toString(16)}}`

const shown = (text: string) =>
  JSON.stringify(text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text).replace(UNSEEN, numbered)
