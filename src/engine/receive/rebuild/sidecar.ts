// A sidecar as it is read back: what the raw bytes do not say. Pure.
import { z } from 'zod'
import type { AttachmentId, InboxId, KeyId, MessageId, ThreadId } from '../../ids.ts'
import { Mailbox } from '../../messages/address.ts'
import {
  type Authentication,
  MATCH_METHODS,
  Quoted,
  type RecipientRow,
} from '../../messages/message.ts'
import type { MboxForm } from '../mbox/entry.ts'

const id = <T extends string>(prefix: string) =>
  z.custom<T>((value) => typeof value === 'string' && value.startsWith(`${prefix}_`))

export const Sidecar = z.object({
  id: id<MessageId>('msg'),
  direction: z.enum(['inbound', 'outbound']),
  inbox: z.object({ id: id<InboxId>('inb'), address: z.string() }),
  raw_sha256: z.string().regex(/^[0-9a-f]{64}$/),
  envelope: z.object({
    mail_from: z.string(),
    rcpt_to: z.array(z.string()),
    mbox: z.custom<MboxForm>((value) => typeof value === 'object').optional(),
  }),
  peer: z.object({ ip: z.string(), helo: z.string(), tls: z.boolean() }).nullable(),
  received_at: z.coerce.date(),
  /** Of an imported mail, which came before it was received here. */
  created_at: z.coerce.date().optional(),
  authentication: z.custom<Authentication | null>(),
  attachment_ids: z.array(id<AttachmentId>('att')),
  // Of mail that was sent:
  thread_id: id<ThreadId>('thr').optional(),
  match: z.object({ method: z.enum(MATCH_METHODS), evidence: z.string().nullable() }).optional(),
  bcc: z.array(Mailbox).default([]),
  /** As it was written: the header adds a signed address of ours. */
  reply_to: z.array(Mailbox).default([]),
  by_agent: z.boolean().default(false),
  key_id: id<KeyId>('key').nullable().default(null),
  /** As it was stored: `scheduled` where it waited for its hour. */
  status: z.string().optional(),
  send_at: z.coerce.date().nullable().default(null),
  citations: z.array(z.string()).default([]),
  /** Where it quotes the mail it answers: which of its words are new. */
  new_text: z.string().nullable().optional(),
  quoted: z.array(Quoted).default([]),
  delivery: z.enum(['email', 'dry-run']).default('email'),
  /** What became of it, once that was final. */
  recipients: z
    .array(
      z.object({
        email: z.string(),
        status: z.custom<RecipientRow['status']>(),
        code: z.number().nullable(),
        detail: z.string().nullable(),
      }),
    )
    .optional(),
  sent_at: z.coerce.date().nullable().optional(),
})
export type Sidecar = z.infer<typeof Sidecar>
