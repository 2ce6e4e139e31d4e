// Once a day: whether the records of each domain are still there.
import type { Engine } from '../ports.ts'
import type { DomainRow } from './domain.ts'
import { withKeys } from './load.ts'
import { keepMailDomain } from './mail-domain.ts'
import { checkDomain } from './verify.ts'

type Parts = Pick<Engine, 'db' | 'clock' | 'dns' | 'jobs' | 'log' | 'secrets' | 'settings'>

/** A domain that nobody has verified in this time is no longer looked up. */
const WAITING_MS = 14 * 86_400_000

/**
 * Checks what was verified once or was added lately, one domain after the other. A record that is missing for three
 * days takes the domain out of use; until then each day's log says so.
 */
export async function recheckDomains(parts: Parts): Promise<void> {
  const { db, clock, settings } = parts
  // One that exists on this machine only has nothing in the DNS, and gets its keys when somebody looks.
  if (!`.${settings.mailDomain}`.endsWith('.localhost')) await keepMailDomain(parts)
  const rows = await db.query<DomainRow>(
    `SELECT * FROM domains WHERE NOT domain LIKE '%.localhost'
       AND (verified_at IS NOT NULL OR created_at > $1) ORDER BY org_id, id`,
    [new Date(clock.now().getTime() - WAITING_MS)],
  )
  for (const row of rows) await recheck(parts, row)
}

async function recheck(parts: Parts, row: DomainRow): Promise<void> {
  const { domain, org_id: organization } = row
  try {
    const [keyed] = await withKeys(parts, row.org_id, [row])
    if (keyed !== undefined) await checkDomain(parts, keyed, null)
    const [now] = await parts.db.query<Pick<DomainRow, 'status' | 'failing_since'>>(
      'SELECT status, failing_since FROM domains WHERE org_id = $1 AND id = $2',
      [row.org_id, row.id],
    )
    if (row.verified_at === null || now === undefined || now.failing_since === null) return
    const { status, failing_since: since } = now
    parts.log.warn({ domain, organization, status, since }, 'DNS records of a domain are missing')
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    parts.log.warn({ domain, organization, reason }, 'a domain could not be checked')
  }
}
