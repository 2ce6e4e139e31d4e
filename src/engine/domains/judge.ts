// What the findings about its records make of a domain. Pure.
import type { DomainRow, DomainStatus, Finding, KeyedDomain } from './domain.ts'

/** A record that vanishes for an hour is a slip of somebody's; after three days nobody is mending it. */
const PATIENCE_MS = 3 * 86_400_000

/** The key's finding, by its selector. */
type KeyOf = (selector: string) => Finding | undefined

/**
 * Verified once all records are right. Afterwards a key that does not sign may be missing: it is a new one,
 * on its way into the DNS. Where the DNS could not be asked, nothing is known and nothing changes.
 * @param asked a person wants to know now; else a verified domain has three days of patience
 */
export function statusAfter(
  domain: Pick<KeyedDomain, 'status' | 'verified_at' | 'failing_since' | 'keys'>,
  findings: DomainRow['findings'],
  keyFinding: KeyOf,
  { now, asked }: { now: Date; asked: boolean },
): { status: DomainStatus; failingSince: Date | null } {
  const needed = neededOf(domain, findings, keyFinding)
  const lacking = needed.filter(({ status }) => status === 'missing' || status === 'wrong')
  if (lacking.length === 0) {
    if (needed.every(({ status }) => status === 'verified')) {
      return { status: 'verified', failingSince: null }
    }
    return { status: domain.status, failingSince: domain.failing_since }
  }
  const since = domain.failing_since ?? now
  const patient = domain.status === 'verified' && !asked
  const overdue = now.getTime() - since.getTime() >= PATIENCE_MS
  return { status: patient && !overdue ? 'verified' : 'failed', failingSince: since }
}

function neededOf(
  { verified_at, keys }: Pick<KeyedDomain, 'verified_at' | 'keys'>,
  findings: DomainRow['findings'],
  keyFinding: KeyOf,
): Finding[] {
  const others = ['mx', 'spf', 'dmarc'].flatMap((name) => findings[name] ?? [])
  const signing = keys.filter(({ signs }) => signs || verified_at === null)
  return [...others, ...signing.flatMap(({ selector }) => keyFinding(selector) ?? [])]
}
