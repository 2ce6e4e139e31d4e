// The suppression list: addresses that are written to no more, by whom, and why.
import { z } from 'zod'
import type { InboxId, MessageId, OrgId, SuppressionId } from '../../ids.ts'

/**
 * - `bounce`: their server said for good that there is no such mailbox
 * - `complaint`: they called a mail of ours spam (RFC 5965)
 * - `unsubscribe`: they asked one inbox to stop (RFC 8058)
 */
export const SUPPRESSION_KINDS = ['bounce', 'complaint', 'unsubscribe'] as const
export type SuppressionKind = (typeof SUPPRESSION_KINDS)[number]

export interface SuppressionRow {
  org_id: OrgId
  id: SuppressionId
  /** In lower case. */
  email: string
  kind: SuppressionKind
  /** The one inbox that does not write there any more; null: none of the organization's does. */
  inbox_id: InboxId | null
  /** In the words of whoever said it. */
  reason: string
  /** The mail of ours that brought it about. */
  message_id: MessageId
  created_at: Date
}

export const Suppression = z.object({
  id: z.string(),
  email: z.string(),
  kind: z.enum(SUPPRESSION_KINDS),
  inbox_id: z.string().nullable(),
  reason: z.string(),
  message_id: z.string(),
  created_at: z.string(),
})

export const showSuppression = (row: SuppressionRow): z.infer<typeof Suppression> => ({
  id: row.id,
  email: row.email,
  kind: row.kind,
  inbox_id: row.inbox_id,
  reason: row.reason,
  message_id: row.message_id,
  created_at: row.created_at.toISOString(),
})
