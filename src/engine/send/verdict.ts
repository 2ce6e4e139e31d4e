// What may become of a mail before it is stored: it goes, it waits for a person, or it does not go; always with every reason. Pure.
import { z } from 'zod'
import { Forbidden, RateLimited, type Refusal, Unprocessable } from '../errors.ts'

export const Reason = z.object({
  /** `new_recipient`, `agent_send_policy`, `send_policy`, `blocked`, `cap`, `loop`, `leak`, `suppressed`, or the code of a refusal. */
  code: z.string(),
  /** What is so, in words that name the setting or the address. */
  message: z.string(),
  /** What would change it. */
  fix: z.string().optional(),
  /** Whom it is about; absent where it is about the whole mail. */
  recipients: z.array(z.string()).optional(),
  /** Where waiting helps: for how long. */
  retry_after_seconds: z.number().optional(),
})
export type Reason = z.infer<typeof Reason>

export type Verdict =
  /** `reasons`: what is worth knowing all the same; in dry-run, why it would have been held. */
  | { kind: 'allow'; reasons?: Reason[]; wouldHaveBeen?: 'review' }
  /** A person has to say yes. */
  | { kind: 'review'; reasons: Reason[] }
  /** Nobody's yes helps as things are set. */
  | { kind: 'deny'; reasons: Reason[] }

/** One thing that keeps a mail from going, or from going without a person. */
export interface Finding {
  effect: 'review' | 'deny'
  reason: Reason
  /** What to do while the mail waits for a person, said before the fix. Nothing waits where it is denied, or kept in dry-run. */
  whileHeld?: string
}

/**
 * The verdict over everything that was found. In dry-run nothing leaves, so nothing waits for a person;
 * what is denied stays denied, so that the lists and policies of an inbox can be tried out.
 */
export function verdictOf(findings: readonly Finding[], outbound: string): Verdict {
  const of = (effect: Finding['effect']) =>
    findings.filter((finding) => finding.effect === effect).map(({ reason }) => reason)
  const denied = of('deny')
  const held = of('review')
  if (denied.length > 0) return { kind: 'deny', reasons: [...denied, ...held] }
  if (held.length === 0) return { kind: 'allow' }
  if (outbound === 'dry-run') return { kind: 'allow', reasons: held, wouldHaveBeen: 'review' }
  return { kind: 'review', reasons: findings.map(waiting) }
}

function waiting({ reason, whileHeld }: Finding): Reason {
  if (whileHeld === undefined) return reason
  return { ...reason, fix: [whileHeld, reason.fix].filter(Boolean).join(' ') }
}

/** Reasons that never refuse anybody: told beside a denial, they bar no one. */
const HOLDS_ONLY = ['new_recipient', 'agent_send_policy']

/** A denial as the error that a sender gets; the first reason gives its kind. */
export function refusalOf(reasons: readonly Reason[]): Refusal {
  const [first] = reasons
  if (first === undefined) throw new Error('a denial has a reason')
  const message = reasons.map((reason) => reason.message).join(' ')
  const fix = reasons.flatMap((reason) => reason.fix ?? []).join(' ')
  if (first.retry_after_seconds !== undefined) {
    // Before the longest of them is over, another try is refused again.
    const waits = reasons.map(({ retry_after_seconds = 0 }) => retry_after_seconds)
    return new RateLimited(message, Math.max(...waits), { fix })
  }
  if (first.recipients === undefined || first.code === 'sender_domain_unusable') {
    return new Unprocessable(first.code, message, { fix })
  }
  const denials = reasons.filter(({ code }) => !HOLDS_ONLY.includes(code))
  const barred = new Set(denials.flatMap(({ recipients = [] }) => recipients))
  return new Forbidden(message, {
    code: 'recipient_not_allowed',
    fix,
    details: [...barred].map((email) => ({ field: 'recipients', message: email })),
  })
}
