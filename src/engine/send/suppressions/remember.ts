// Writing beside the mail who does not want any: complaints and unsubscriptions outlive the database.
import type { OrgId } from '../../ids.ts'
import type { JournalEntry } from '../../journal.ts'
import type { Engine } from '../../ports.ts'

export type Remembered = Extract<JournalEntry, { kind: 'address_suppressed' }>['suppression']

/** Notes those that are not on the list yet, so that a report that is repeated fills no disk. Before the list is changed. */
export async function remember(
  { db, blobs }: Pick<Engine, 'db' | 'blobs'>,
  orgId: OrgId,
  suppressions: readonly Remembered[],
  at: Date,
): Promise<void> {
  const known = await db.query<{ email: string; kind: string; inbox_id: string | null }>(
    'SELECT email, kind, inbox_id FROM suppressions WHERE org_id = $1 AND email = ANY($2)',
    [orgId, suppressions.map(({ email }) => email)],
    'suppressions_known',
  )
  for (const suppression of suppressions) {
    const { email, kind, inbox_id } = suppression
    const there = known.some(
      (one) => one.email === email && one.kind === kind && one.inbox_id === inbox_id,
    )
    if (!there) await blobs.journal(orgId, { kind: 'address_suppressed', at, suppression })
  }
}
