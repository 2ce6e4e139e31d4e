// A scheduled mail is called off: it stays, so that everybody can see what was meant to go.
import type { MessageRow } from '../../messages/message.ts'
import type { Engine } from '../../ports.ts'

/** False: it had gone already, or was called off before, and nothing was done. */
export async function cancel(
  { db, blobs, clock }: Pick<Engine, 'db' | 'blobs' | 'clock'>,
  { org_id, id, envelope }: Pick<MessageRow, 'org_id' | 'id' | 'envelope'>,
): Promise<boolean> {
  const cancelled = await db.query(
    `WITH cancelled AS (
       UPDATE messages SET status = 'cancelled'
       WHERE org_id = $1 AND id = $2 AND status = 'scheduled' RETURNING id
     ), told AS (
       UPDATE recipients SET status = 'cancelled', updated_at = $3
       WHERE org_id = $1 AND message_id IN (SELECT id FROM cancelled) AND status = 'queued'
     )
     SELECT id FROM cancelled`,
    [org_id, id, clock.now()],
    'cancel',
  )
  if (cancelled.length === 0) return false
  const sidecar = await blobs.sidecar(org_id, id)
  const status = 'cancelled' as const
  const recipients = envelope.rcpt_to.map((email) => ({ email, status, code: null, detail: null }))
  await blobs.putSidecar(org_id, id, { ...sidecar, recipients, sent_at: null })
  return true
}
