// Who sent a mail: SPF, DKIM, DMARC and ARC, checked by us at the door.
import type { Clock } from '../../../platform/clock.ts'
import type { Dns } from '../../ports.ts'
import { judgeArc } from './arc.ts'
import { authResults } from './auth-results.ts'
import { askAheadForAuthors, authorsOf, judgeAuthors } from './authors.ts'
import { verifySignatures } from './dkim.ts'
import { headerOf } from './header.ts'
import { questionsOf } from './resolver.ts'
import type { Client, SpfJudge } from './spf.ts'
import { overallDkim, type Summary, summaryOf } from './summary.ts'
import type { ArcVerdict, DmarcVerdict, Result, SignatureVerdict, SpfVerdict } from './verdict.ts'

export interface Parts {
  dns: Dns
  clock: Clock
  /** Our own name: in the macro r of SPF, and in Authentication-Results. */
  hostname: string
  spf: SpfJudge
}

export interface Mail extends Client {
  /** The bytes as received. */
  raw: Buffer
}

export interface Authentication {
  spf: Result
  /** `pass` where any signature verifies. */
  dkim: Result
  dmarc: DmarcVerdict['result']
  arc: ArcVerdict['result']
  summary: Summary
  details: Details
}

export interface Details {
  /** The addresses in From that were judged. */
  from: string[]
  spf: SpfVerdict
  dkim: SignatureVerdict[]
  dmarc: DmarcVerdict
  arc: ArcVerdict
}

export interface Authenticated {
  authentication: Authentication
  /** An Authentication-Results field of ours, folded, without the line end at its end. RFC 8601 §2.2. */
  authResults(): string
}

/**
 * Judges a mail by its connection, envelope and bytes. At most 8 s; a name server that fails or keeps silent
 * makes `temperror`, never `pass`. It does not throw, whatever the mail holds.
 * RFC 7208 (SPF), RFC 6376 (DKIM), RFC 7489 (DMARC), RFC 8617 (ARC).
 */
export async function authenticate(parts: Parts, mail: Mail): Promise<Authenticated> {
  const questions = questionsOf(parts)
  const header = headerOf(mail.raw)
  const authors = authorsOf(header)
  askAheadForAuthors(questions, authors)
  const [spf, verified] = await Promise.all([
    parts.spf(questions, mail, parts.hostname),
    verifySignatures({ questions, clock: parts.clock }, mail.raw, header),
  ])
  const signatures = verified.signatures
  const [dmarc, arc] = await Promise.all([
    judgeAuthors(questions, authors, { spf, signatures }),
    judgeArc(verified.arc, questions),
  ])
  const details: Details = { from: authors.addresses, spf, dkim: signatures, dmarc, arc }
  const authentication = {
    spf: spf.result,
    dkim: overallDkim(signatures),
    dmarc: dmarc.result,
    arc: arc.result,
    summary: summaryOf(details),
    details,
  }
  return { authentication, authResults: () => authResults(parts.hostname, authentication) }
}
