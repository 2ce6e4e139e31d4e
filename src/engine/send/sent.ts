// What a sender is answered: the mail on its way or planned, the review that it waits for, or the verdict alone.
import { z } from 'zod'
import { Message } from '../messages/message.ts'
import { Reason } from './verdict.ts'

/** The answer was given before, to the same request. */
const replayed = z.boolean().optional()

/** In dry-run nothing is held: what would have been, and why. */
const wouldHaveBeen = z.literal('review').optional()

/** `message_id` is the id once more, as the webhooks name it. */
export const SentMessage = Message.extend({
  message_id: z.string(),
  would_have_been: wouldHaveBeen,
  reasons: z.array(Reason).optional(),
  replayed,
})
export type SentMessage = z.infer<typeof SentMessage>

/** A person has to say yes first. */
export const Held = z.object({
  id: z.string(),
  message_id: z.string(),
  thread_id: z.string(),
  review_id: z.string(),
  status: z.literal('pending_review'),
  reasons: z.array(Reason),
  expires_at: z.string(),
  replayed,
})
export type Held = z.infer<typeof Held>

/** What would become of it; nothing was stored. */
export const Judged = z.object({
  verdict: z.enum(['allow', 'review', 'deny']),
  would_have_been: wouldHaveBeen,
  reasons: z.array(Reason),
})
export type Judged = z.infer<typeof Judged>

export const Sent = z.union([SentMessage, Held, Judged])
export type Sent = z.infer<typeof Sent>
