// Who a mail goes to: as the caller wrote it, or as the message says that is answered. Everybody once.
import { type Address, MAX_ADDRESSES, readAddress, withoutRepeats } from '../addresses.ts'
import { ValidationFailed } from '../errors.ts'
import { withoutTag } from '../inboxes/find.ts'
import type { Mailbox } from '../messages/address.ts'
import type { Place } from './answered.ts'
import { othersOnMessage, recipientsOfReply } from './reply.ts'
import type { Written } from './written.ts'

export type Addressees = Pick<Written, 'to' | 'cc' | 'bcc'>

/**
 * Who is in To is in neither Cc nor Bcc. In a reply to all, `to` replaces the author and `cc` adds to the others.
 * Throws ValidationFailed where nobody is left, and where the answered message names somebody who cannot be written to.
 */
export function addresseesOf(written: Written, { inbox, answered, forwarded }: Place): Addressees {
  const author = answered === undefined ? [] : recipientsOfReply(answered)
  const to = written.to.length > 0 ? written.to : readStrictly(author, AUTHOR)
  if (to.length === 0) {
    const what = forwarded === undefined ? 'a new mail' : 'a forward'
    const message =
      answered === undefined
        ? `${what} needs at least one recipient`
        : 'the message that is answered has no author; name the recipients'
    throw new ValidationFailed([{ field: 'to', message }])
  }
  const isSelf = (email: string) => withoutTag(email) === inbox.address
  const others = answered && written.replyAll ? othersOnMessage(answered, isSelf) : []
  const cc = [...readStrictly(others, OTHERS), ...written.cc]
  const everybody = withoutRepeats([...to, ...cc, ...written.bcc])
  const among = (field: readonly Address[]) => field.filter((person) => everybody.includes(person))
  const addressees = { to: among(to), cc: among(cc), bcc: among(written.bcc) }
  if (addressees.cc.length > MAX_ADDRESSES) {
    const message = `with everybody on the message it holds ${addressees.cc.length} addresses; at most ${MAX_ADDRESSES} fit: leave reply_all out and name them`
    throw new ValidationFailed([{ field: 'cc', message }])
  }
  return addressees
}

interface Source {
  field: string
  whose: string
}

const AUTHOR: Source = { field: 'to', whose: 'the author of the message cannot be answered' }
const OTHERS: Source = {
  field: 'reply_all',
  whose: 'somebody on the message cannot be written to; leave reply_all out',
}

/** What came in from outside is read as strictly as what a caller writes: a header cannot add anybody. */
function readStrictly(people: readonly Mailbox[], { field, whose }: Source): Address[] {
  const read = people.map(({ email, name }) => {
    const address = readAddress({ email, name })
    return typeof address === 'string' ? readAddress({ email }) : address
  })
  const wrong = read.filter((address) => typeof address === 'string')
  if (people.length > MAX_ADDRESSES) wrong.push(`it asks for ${people.length} recipients`)
  if (wrong.length === 0) return read.filter((address) => typeof address !== 'string')
  const message = `${whose} (${wrong.join('; ')}); name the recipients`
  throw new ValidationFailed([{ field, message }])
}
