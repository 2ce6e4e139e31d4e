// Handing a mail to the world: signed, and in two forms where an address on it is not ASCII, since not every server takes that.
import { isAscii } from '../addresses.ts'
import type { OrgId } from '../ids.ts'
import type { HandOver, MailTransport, OutgoingMail } from '../ports.ts'
import { asciiCopy } from './ascii-copy.ts'
import type { Way } from './outcome.ts'

export interface Outside {
  world: MailTransport
  sign?:
    | ((mail: { orgId: OrgId; from: string; raw: Uint8Array }) => Promise<Uint8Array>)
    | undefined
  way: Exclude<Way, 'local'>
  orgId: OrgId
}

/**
 * One answer a recipient, in the order of the envelope. Whoever has an ASCII address gets the mail whatever the others
 * have: from an MX host that takes no international mail, and from a relay, of which nobody knows what is behind it,
 * as a copy with an ASCII header.
 */
export async function handOutside(outside: Outside, mail: OutgoingMail): Promise<HandOver[]> {
  const { to } = mail.envelope
  const copy = asciiCopy(mail.raw)
  if (copy === mail.raw && to.every(isAscii)) return handOver(outside, mail)
  const answers = new Map<string, HandOver | undefined>()
  const tell = async (some: readonly string[], raw: Uint8Array) => {
    if (some.length === 0) return
    const part = { envelope: { ...mail.envelope, to: some }, raw }
    // Who has answered before would get the mail again if the whole attempt broke.
    const said = await handOver(outside, part).catch((error: Error) => {
      if (answers.size === 0) throw error
      return some.map(() => broken(error))
    })
    for (const [n, email] of some.entries()) answers.set(email, said[n])
  }
  await tell(outside.way === 'mx' ? to : to.filter((email) => !isAscii(email)), mail.raw)
  const isOpen = (email: string) => !answers.has(email) || isAsciiOnly(answers.get(email))
  await tell(
    to.filter((email) => isAscii(email) && isOpen(email)),
    copy,
  )
  return to.flatMap((email) => answers.get(email) ?? [])
}

const broken = ({ message }: Error): HandOver => ({
  kind: 'deferred',
  code: null,
  detail: `not handed over: ${message}`,
})

const isAsciiOnly = (answer: HandOver | undefined) =>
  answer?.kind === 'refused' && answer.asciiOnly === true

async function handOver({ world, sign, orgId }: Outside, { envelope, raw }: OutgoingMail) {
  const signed = await sign?.({ orgId, from: envelope.from, raw })
  return world.send({ envelope, raw: signed ?? raw })
}
