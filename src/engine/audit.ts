// The audit: who did what to which things. A row is written with the change that it tells of, and never changed.
import { newId } from '../platform/ids.ts'
import type { Caller } from './caller.ts'
import type { AuditId, InboxId, KeyId, OrgId } from './ids.ts'

export const AUDIT_ACTIONS = [
  'review.approved',
  'review.rejected',
  'thread.merged',
  'thread.split',
  'thread.undone',
  'suppression.removed',
  'inbox.health_cleared',
  'domain.added',
  'domain.checked',
  'domain.rotated',
  'domain.deleted',
] as const
export type AuditAction = (typeof AUDIT_ACTIONS)[number]

export interface AuditRow {
  org_id: OrgId
  id: AuditId
  at: Date
  key_id: KeyId | null
  /** Name of the key at that time. */
  actor: string
  agent: boolean
  action: AuditAction
  inbox_id: InboxId | null
  /** What it was done to. */
  ids: string[]
  /** Ids and states, no words of anybody's mail: it outlives the inbox. */
  detail: Record<string, unknown>
  /** The row that this one takes back. */
  undoes: AuditId | null
}

export function newAudit(
  { orgId, keyId, name, agent }: Caller,
  about: Pick<AuditRow, 'action' | 'inbox_id' | 'ids' | 'detail' | 'undoes'>,
  now: Date,
): AuditRow {
  const by = { org_id: orgId, key_id: keyId, actor: name, agent }
  return { ...by, id: newId('aud', now), at: now, ...about }
}
