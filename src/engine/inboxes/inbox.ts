// An inbox: an address that belongs to an agent. The row, and the inbox as the outside sees it.
import { z } from 'zod'
import type { InboxId, OrgId } from '../ids.ts'

export const SEND_POLICIES = ['open', 'reply_only', 'allowlist', 'review', 'off'] as const
export type SendPolicy = (typeof SEND_POLICIES)[number]

export interface InboxRow {
  org_id: OrgId
  id: InboxId
  address: string
  local_part: string
  domain: string
  display_name: string | null
  agent_prompt: string | null
  webhook_url: string | null
  webhook_secret: string
  is_active: boolean
  send_policy: SendPolicy
  client_id: string | null
  created_at: Date
  /** Set while too much of its mail bounces or is called spam; a person clears it. */
  sending_stopped_at: Date | null
  sending_stopped_reason: string | null
}

export interface CountedInbox extends InboxRow {
  thread_count: number
  unread_thread_count: number
}

export const Inbox = z.object({
  id: z.string(),
  address: z.string(),
  local_part: z.string(),
  domain: z.string(),
  display_name: z.string().nullable(),
  agent_prompt: z.string().nullable(),
  webhook_url: z.string().nullable(),
  is_active: z.boolean(),
  send_policy: z.enum(SEND_POLICIES),
  thread_count: z.number(),
  unread_thread_count: z.number(),
  created_at: z.string(),
  /** Only while its sending is stopped: since when, and why. */
  sending_stopped: z.object({ at: z.string(), reason: z.string() }).optional(),
  webhook_secret: z.string().optional(),
})

export const showInbox = (row: CountedInbox): z.infer<typeof Inbox> => ({
  id: row.id,
  address: row.address,
  local_part: row.local_part,
  domain: row.domain,
  display_name: row.display_name,
  agent_prompt: row.agent_prompt,
  webhook_url: row.webhook_url,
  is_active: row.is_active,
  send_policy: row.send_policy,
  thread_count: row.thread_count,
  unread_thread_count: row.unread_thread_count,
  created_at: row.created_at.toISOString(),
  ...(row.sending_stopped_at === null
    ? {}
    : {
        sending_stopped: {
          at: row.sending_stopped_at.toISOString(),
          reason: row.sending_stopped_reason ?? '',
        },
      }),
})
