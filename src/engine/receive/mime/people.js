// Address fields: who a mail is from and for. RFC 5322 §3.4.
import { fieldValues } from './fields.js'
import { parseMailboxes } from './mailboxes.js'
import { decodeWords } from './words.js'

/** About a thousand addresses; the parser's time grows with the length. */
const MAX_LENGTH = 64 * 1024
const MAX_PEOPLE = 1_000
const HAS_WORD = /=\?[^?\s]+\?[bq]\?/i

/** The mailboxes of every field of a name, groups as their members, each `{ email, name? }`. */
export function people(fields, key) {
  const values = fieldValues(fields, key)
  if (values.length === 0) return []
  const entries = readAddresses(values.join(', '))
  const mailboxes = entries.flatMap((entry) => entry.group ?? [entry])
  return mailboxes.flatMap(mailbox).slice(0, MAX_PEOPLE)
}

function readAddresses(value) {
  const entries = parseMailboxes(value.slice(0, MAX_LENGTH))
  return entries.flatMap((entry) => {
    if (entry.address || entry.group || !HAS_WORD.test(entry.name)) return [entry]
    // The whole mailbox inside an encoded word: taken only where it shows a bracketed address,
    // for a bare one there is a name, not an address (RFC 2047 §5).
    const decoded = decodeWords(entry.name)
    return /<[^<>@\s]+@[^<>@\s]+>/.test(decoded) ? parseMailboxes(decoded) : [entry]
  })
}

function mailbox({ address = '', name = '' }) {
  const email = plainAddress(address)
  if (email === '') return []
  const shown = decodeWords(name)
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim()
  return shown === '' ? [{ email }] : [{ email, name: shown }]
}

/** An encoded word may not stand in an address; where one does it counts only if it makes a plain one. */
function plainAddress(address) {
  const trimmed = address.replace(/\p{Cc}/gu, '').trim()
  if (!HAS_WORD.test(trimmed)) return trimmed
  const decoded = decodeWords(trimmed)
  return /^[^\s@<>,;"]+@[^\s@<>,;"]+$/.test(decoded) ? decoded : ''
}
