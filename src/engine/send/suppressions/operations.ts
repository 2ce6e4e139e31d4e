// Looking at the suppression list, and taking an address off it.
import { z } from 'zod'
import { mailboxKey } from '../../addresses.ts'
import { newAudit } from '../../audit.ts'
import { NotFound } from '../../errors.ts'
import { resolveInbox } from '../../inboxes/find.ts'
import { operation } from '../../operation.ts'
import { makePage, pageInput, pageOf, placeOf } from '../../page.ts'
import {
  SUPPRESSION_KINDS,
  Suppression,
  type SuppressionRow,
  showSuppression,
} from './suppression.ts'

const inbox = { inbox_id: z.string() }

export const listSuppressions = operation({
  name: 'list_suppressions',
  summary:
    'Addresses that an inbox does not write to any more, newest first: bounced or complained (for the whole organization), or unsubscribed from this inbox.',
  scope: 'inbox:read',
  reads: true,
  input: z.strictObject({
    ...inbox,
    kind: z.enum(SUPPRESSION_KINDS).optional(),
    email: z.string().trim().toLowerCase().optional(),
    ...pageInput,
  }),
  output: pageOf(Suppression),
  async run(engine, caller, { inbox_id, kind = null, email = null, ...page }) {
    const { id } = await resolveInbox(engine, caller, inbox_id)
    const place = placeOf(page.cursor, 'sup')
    const chosen = `org_id = $1 AND (inbox_id IS NULL OR inbox_id = $2)
      AND ($3::text IS NULL OR kind = $3) AND ($4::text IS NULL OR email = $4)`
    const by = [caller.orgId, id, kind, email && mailboxKey(email)]
    const rows = await engine.db.query<SuppressionRow>(
      `SELECT * FROM suppressions WHERE ${chosen}
         AND ($5::timestamptz IS NULL OR (created_at, id) < ($5, $6))
       ORDER BY created_at DESC, id DESC LIMIT $7 OFFSET $8`,
      [...by, place?.at ?? null, place?.id ?? null, page.limit + 1, page.offset],
    )
    const [count] = await engine.db.query<{ total: number }>(
      `SELECT count(*) AS total FROM suppressions WHERE ${chosen}`,
      by,
    )
    return makePage(
      rows,
      page,
      count?.total ?? 0,
      (row) => ({ at: row.created_at, id: row.id }),
      showSuppression,
    )
  },
})

/** It comes back with the next bounce or complaint. */
export const deleteSuppression = operation({
  name: 'delete_suppression',
  summary: 'Take an address off the suppression list, so that it is written to again.',
  scope: 'org:admin',
  reads: false,
  input: z.strictObject({ ...inbox, email: z.string().trim().toLowerCase().min(1).max(320) }),
  output: z.void(),
  async run(engine, caller, { inbox_id, email: written }) {
    const email = mailboxKey(written)
    const { id } = await resolveInbox(engine, caller, inbox_id)
    const at = engine.clock.now()
    const about = { inbox_id: id, ids: [], detail: {}, undoes: null }
    const audit = newAudit(caller, { ...about, action: 'suppression.removed' }, at)
    const { orgId } = caller
    await engine.blobs.journal(orgId, { kind: 'suppression_removed', at, email, inbox_id: id })
    const gone = await engine.db.query(
      `WITH gone AS (
         DELETE FROM suppressions WHERE org_id = $1 AND email = $2 AND (inbox_id IS NULL OR inbox_id = $3)
         RETURNING id, kind
       ), noted AS (
         INSERT INTO audit
         SELECT * FROM jsonb_populate_record(NULL::audit, $4::jsonb || jsonb_build_object(
           'ids', (SELECT jsonb_agg(id) FROM gone), 'detail', jsonb_build_object('email', $2::text, 'kinds', (SELECT jsonb_agg(kind) FROM gone))))
         WHERE EXISTS (SELECT 1 FROM gone)
       )
       SELECT 1 FROM gone`,
      [caller.orgId, email, id, JSON.stringify(audit)],
    )
    if (gone.length > 0) return
    throw new NotFound('suppression of', email, {
      fix: `See who is on the list: GET /v1/agent/inboxes/${id}/suppressions.`,
    })
  },
})
