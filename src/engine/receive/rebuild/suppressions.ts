// Who complained or unsubscribed, brought back from the journal.
import type { OrgId } from '../../ids.ts'
import type { JournalEntry } from '../../journal.ts'
import type { Engine } from '../../ports.ts'

/** Puts back who is not on the list and was never taken off it since. Safe to repeat. */
export async function restoreSuppressions(
  { db }: Pick<Engine, 'db'>,
  orgId: OrgId,
  journal: readonly JournalEntry[],
  deletedInboxes: ReadonlySet<string>,
): Promise<void> {
  const left = stillSuppressed(journal).filter(
    ({ suppression }) => !deletedInboxes.has(suppression.inbox_id ?? ''),
  )
  if (left.length === 0) return
  const rows = left.map(({ suppression, at }) => ({
    ...suppression,
    org_id: orgId,
    created_at: at,
  }))
  await db.query(
    `INSERT INTO suppressions SELECT * FROM jsonb_populate_recordset(NULL::suppressions, $1)
     ON CONFLICT DO NOTHING`,
    [JSON.stringify(rows)],
  )
}

function stillSuppressed(journal: readonly JournalEntry[]) {
  const rows = new Map<string, Extract<JournalEntry, { kind: 'address_suppressed' }>>()
  for (const entry of journal) {
    if (entry.kind === 'address_suppressed') {
      rows.set(keyOf(entry.suppression.email, entry.suppression.inbox_id), entry)
    }
    if (entry.kind === 'suppression_removed') {
      for (const inbox of [null, entry.inbox_id]) rows.delete(keyOf(entry.email, inbox))
    }
  }
  return [...rows.values()]
}

const keyOf = (email: string, inboxId: string | null) => `${email} ${inboxId ?? ''}`
