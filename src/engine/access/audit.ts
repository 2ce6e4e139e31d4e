// Reading the audit.
import { z } from 'zod'
import { AUDIT_ACTIONS, type AuditRow } from '../audit.ts'
import { operation } from '../operation.ts'
import { makePage, pageInput, pageOf, placeOf } from '../page.ts'
import { sameOrganization } from './operations.ts'

const AuditEntry = z.object({
  id: z.string(),
  at: z.string(),
  key_id: z.string().nullable(),
  actor: z.string(),
  agent: z.boolean(),
  action: z.enum(AUDIT_ACTIONS),
  inbox_id: z.string().nullable(),
  ids: z.array(z.string()),
  detail: z.record(z.string(), z.unknown()),
  undoes: z.string().optional(),
})

export const listAudit = operation({
  name: 'list_audit',
  summary: 'What was done by whom in the organization, newest first.',
  scope: 'org:admin',
  reads: true,
  input: z.strictObject({ org_id: z.string().optional(), ...pageInput }),
  output: pageOf(AuditEntry),
  async run({ db }, caller, { org_id, ...page }) {
    sameOrganization(caller, org_id)
    const place = placeOf(page.cursor, 'aud')
    const rows = await db.query<AuditRow>(
      `SELECT * FROM audit WHERE org_id = $1 AND ($2::text[] IS NULL OR inbox_id = ANY($2))
         AND ($3::timestamptz IS NULL OR (at, id) < ($3, $4))
       ORDER BY at DESC, id DESC LIMIT $5 OFFSET $6`,
      [
        caller.orgId,
        caller.inboxIds,
        place?.at ?? null,
        place?.id ?? null,
        page.limit + 1,
        page.offset,
      ],
    )
    const [count] = await db.query<{ total: number }>(
      `SELECT count(*) AS total FROM audit
       WHERE org_id = $1 AND ($2::text[] IS NULL OR inbox_id = ANY($2))`,
      [caller.orgId, caller.inboxIds],
    )
    return makePage(rows, page, count?.total ?? 0, ({ at, id }) => ({ at, id }), show)
  },
})

const show = ({ org_id: _, at, undoes, ...row }: AuditRow) => ({
  ...row,
  at: at.toISOString(),
  ...(undoes === null ? {} : { undoes }),
})
