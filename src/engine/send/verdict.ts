// What may become of a mail before it is stored: it goes, it waits for a person, or it does not go; always with every reason.
import { z } from 'zod'

/** The reasons there are. Only `suppressed` stands beside an `allow`: those are left out, the others get the mail. */
export const REASON_CODES = [
  'blocked',
  'send_policy',
  'new_recipient',
  'agent_send_policy',
  'cap',
  'loop',
  'leak',
  'suppressed',
  'sender_domain_unusable',
] as const

export const Reason = z.object({
  code: z.string(),
  /** What is so, in words that name the setting or the address. */
  message: z.string(),
  /** What would change it. */
  fix: z.string().optional(),
  /** Whom it is about; absent where it is about the whole mail. */
  recipients: z.array(z.string()).optional(),
})
export type Reason = z.infer<typeof Reason>

export type Verdict =
  | { kind: 'allow' }
  /** A person has to say yes. */
  | { kind: 'review'; reasons: Reason[] }
  /** Nobody's yes helps as things are set. */
  | { kind: 'deny'; reasons: Reason[] }
