// What an organization wants done with mail whose author's domain asks for it to be refused.
import type { Authentication } from './authenticate.ts'

/** `store` keeps it, marked; `reject` refuses it where DMARC says reject. */
export type DmarcPolicy = 'store' | 'reject'

export type Decision =
  | { kind: 'store' }
  /** For the answer to DATA. RFC 7372 §3.2, RFC 7489 §10.3. */
  | { kind: 'reject'; code: 550; text: string }

/** Refused is only what failed under p=reject that is meant (neither t=y nor pct below 100); errors are stored. */
export function decide(policy: DmarcPolicy, { details: { dmarc } }: Authentication): Decision {
  const asked = dmarc.result === 'fail' && dmarc.policy === 'reject' && !dmarc.testing
  if (policy === 'store' || !asked) return { kind: 'store' }
  return {
    kind: 'reject',
    code: 550,
    text: `5.7.1 The DMARC policy of ${dmarc.domain} asks to reject mail that neither SPF nor DKIM vouches for`,
  }
}
