// What must outlive the database and stands in no mail: a line each in the journal beside the raw mail.
import { z } from 'zod'

const Organization = z.object({
  kind: z.literal('organization'),
  name: z.string(),
  slug: z.string(),
  dmarc_policy: z.string(),
  /** Makes the signatures of reply addresses that are out in the world. */
  reply_secret: z.string(),
  created_at: z.coerce.date(),
})

/** Nothing of the inbox comes back, and its address stays taken. */
const InboxDeleted = z.object({
  kind: z.literal('inbox_deleted'),
  at: z.coerce.date(),
  inbox_id: z.string(),
  address: z.string().optional(),
})

/** A mail found its thread begun by one that came after it, so a rebuild must take that one first. */
const Overtaken = z.object({
  kind: z.literal('overtaken'),
  message_id: z.string(),
  thread_id: z.string(),
})

/** Threads were joined or divided by hand: what `rearrange_threads` was called with. */
const ThreadsRearranged = z.object({
  kind: z.literal('threads_rearranged'),
  at: z.coerce.date(),
  change: z.looseObject({ audit: z.looseObject({ id: z.string() }) }),
})

/** The change with that audit was not made in the end. */
const RearrangementWithdrawn = z.object({
  kind: z.literal('rearrangement_withdrawn'),
  audit_id: z.string(),
})

/** Somebody complained or unsubscribed. Addresses that bounced are not here: a mail to them says it again. */
const AddressSuppressed = z.object({
  kind: z.literal('address_suppressed'),
  at: z.coerce.date(),
  suppression: z.object({
    id: z.string(),
    email: z.string(),
    kind: z.string(),
    /** Null: for every inbox of the organization. */
    inbox_id: z.string().nullable(),
    reason: z.string(),
    message_id: z.string(),
  }),
})

/** A person took the address off the list, for that inbox and for all. */
const SuppressionRemoved = z.object({
  kind: z.literal('suppression_removed'),
  at: z.coerce.date(),
  email: z.string(),
  inbox_id: z.string(),
})

export const JournalEntry = z.discriminatedUnion('kind', [
  Organization,
  InboxDeleted,
  Overtaken,
  ThreadsRearranged,
  RearrangementWithdrawn,
  AddressSuppressed,
  SuppressionRemoved,
])
export type JournalEntry = z.infer<typeof JournalEntry>
