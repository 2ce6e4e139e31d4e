// Who a mail is for: only inboxes of ours, one answer for everybody else, and no patience for those who guess.
import type { SMTPServerSession } from 'smtp-server'
import type { Engine } from '../../engine/ports.ts'
import type { RecipientAnswer } from '../../engine/receive/recipients.ts'
import type { AddressFound } from '../../engine/recent-addresses.ts'
import { MAX_UNKNOWN, UNKNOWN_AT_ONCE, UNKNOWN_WAIT_MS } from './limits.ts'
import { replies } from './replies.ts'

interface Parts extends Pick<Engine, 'clock' | 'log'> {
  recipient: (address: string) => Promise<RecipientAnswer>
}

export interface Recipients {
  /** A mail begins: whom the last one was for does not matter. */
  begin(session: SMTPServerSession): void
  /** Takes a recipient; rejects with the refusal to send. */
  take(address: string, session: SMTPServerSession): Promise<void>
  /** The inboxes that the recipients taken lead to, each once. */
  inboxes(session: SMTPServerSession): AddressFound[]
}

interface Visit {
  inboxes: Map<string, AddressFound>
  /** Unknown recipients since the connection began. */
  unknown: number
}

export function createRecipients(parts: Parts): Recipients {
  const visits = new WeakMap<SMTPServerSession, Visit>()
  const visitOf = (session: SMTPServerSession) => {
    const visit = visits.get(session) ?? { inboxes: new Map(), unknown: 0 }
    visits.set(session, visit)
    return visit
  }
  return {
    begin: (session) => visitOf(session).inboxes.clear(),
    inboxes: (session) => [...visitOf(session).inboxes.values()],
    async take(address, session) {
      const visit = visitOf(session)
      const answer = await answerFor(parts, address)
      switch (answer.kind) {
        case 'taken':
          visit.inboxes.set(answer.inbox.inbox_id, answer.inbox)
          return
        case 'switched_off':
          throw replies.switchedOff()
        case 'unknown':
          throw await unknown(parts, visit, session)
      }
    },
  }
}

async function answerFor({ recipient, log }: Parts, address: string): Promise<RecipientAnswer> {
  try {
    return await recipient(address)
  } catch (error) {
    log.error({ error: (error as Error).message }, 'a recipient could not be looked up')
    throw replies.tryAgain()
  }
}

async function unknown({ clock, log }: Parts, visit: Visit, session: SMTPServerSession) {
  visit.unknown += 1
  if (visit.unknown > MAX_UNKNOWN) {
    log.warn({ ip: session.remoteAddress, unknown: visit.unknown }, 'recipients guessed')
    return replies.guessing()
  }
  if (visit.unknown > UNKNOWN_AT_ONCE) {
    await new Promise<void>((resolve) => void clock.after(UNKNOWN_WAIT_MS, resolve))
  }
  return replies.noSuchInbox()
}
