// Who sent a mail, and whether its author's domain wants it refused.
import type { Engine } from '../ports.ts'
import { type Authentication, authenticate } from './authenticate/authenticate.ts'
import { decide } from './authenticate/refusal.ts'
import { rememberingSpf } from './authenticate/spf.ts'
import { type Incoming, MailRefused } from './incoming.ts'

/**
 * Makes the judge at the door. It gives the verdict on a mail; null for mail between our own inboxes, whose sender we
 * know. It throws MailRefused where DMARC asks for it and every organization that would receive the mail wants that done.
 */
export function createJudge({
  dns,
  clock,
  settings,
  log,
}: Pick<Engine, 'dns' | 'clock' | 'settings' | 'log'>): (
  incoming: Incoming,
) => Promise<Authentication | null> {
  const parts = { dns, clock, hostname: settings.smtpHostname, spf: rememberingSpf(clock) }
  return async ({ peer, envelope, raw, inboxes }) => {
    if (peer === null) return null
    const mail = { ip: peer.ip, helo: peer.helo, mailFrom: envelope.mail_from, raw }
    const judged = await authenticate(parts, mail).catch((error: Error) => {
      // A mail is kept whatever becomes of its judgement: without one it proves nothing.
      log.error({ error: error.message }, 'a mail could not be authenticated')
      return null
    })
    if (judged === null) return null
    const decisions = inboxes.map(({ dmarc_policy }) => decide(dmarc_policy, judged.authentication))
    const [first] = decisions
    if (first?.kind === 'reject' && decisions.every(({ kind }) => kind === 'reject')) {
      throw new MailRefused(first.code, first.text)
    }
    return judged.authentication
  }
}
