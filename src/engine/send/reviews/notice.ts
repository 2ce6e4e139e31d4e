// Telling REVIEW_NOTIFY that a mail waits: by a mail of our own, which is no message of any inbox.
import { z } from 'zod'
import { idSuffix } from '../../../platform/ids.ts'
import { findAddresses, withoutTag } from '../../inboxes/find.ts'
import type { JobHandler } from '../../jobs/handler.ts'
import type { MessageRow } from '../../messages/message.ts'
import type { ReviewRow } from '../../messages/store.ts'
import type { Engine, HandOver } from '../../ports.ts'
import { compose } from '../compose.ts'
import { nextAttempt } from '../outcome.ts'
import { Reason } from '../verdict.ts'
import type { WaysOut } from '../ways.ts'
import { loadReview } from './review.ts'

type Parts = Pick<Engine, 'db' | 'clock' | 'log' | 'settings'>

const Payload = z.object({ review_id: z.string(), attempt: z.number().default(0) })

/** So much of the mail's text is shown; the whole of it is one command away. */
const SHOWN = 2000

/**
 * The handler of `reviews.notice`. The notice has no return path (RFC 3834 §3.1.8), so that nothing answers it; it is
 * tried again as all mail is, and not after the mail was decided about.
 */
export function tellOfReview(parts: Parts, ways: WaysOut): JobHandler {
  return async (job) => {
    const { review_id, attempt } = Payload.parse(job.payload)
    const to = parts.settings.reviewNotify
    const found = await loadReview(parts, job.orgId, review_id)
    if (to === undefined || found?.review.status !== 'pending') return { kind: 'done' }
    const raw = await noticeOf(parts.settings, found, to)
    const answer = await handOver(parts, ways, { to, raw, message: found.message })
    const { kind } = answer
    parts.log.info({ review_id, attempt: attempt + 1, answer: kind }, 'review notice')
    const open = kind === 'deferred' || kind === 'uncertain'
    const now = parts.clock.now()
    const next = nextAttempt(parts.settings.outboundRetrySchedule, attempt + 1, now, job.createdAt)
    if (!open || next === null) return { kind: 'done' }
    await parts.db.query('UPDATE jobs SET payload = $2 WHERE id = $1', [
      job.id,
      JSON.stringify({ review_id, attempt: attempt + 1 }),
    ])
    return { kind: 'again', at: next }
  }
}

interface Notice {
  to: string
  raw: Buffer
  message: MessageRow
}

async function handOver(
  parts: Parts,
  { local, world, sign }: WaysOut,
  { to, raw, message }: Notice,
): Promise<HandOver> {
  const mail = { envelope: { from: '', to: [to] }, raw }
  const [ours] = await findAddresses(parts, [withoutTag(to)])
  if (ours !== undefined) return only(await local.deliver(mail))
  if (world === null) return { kind: 'refused', code: 550, detail: 'OUTBOUND is dry-run' }
  const from = message.envelope.mail_from
  const signed = await sign?.({ orgId: message.org_id, from, raw })
  return only(await world.send({ ...mail, raw: signed ?? raw }))
}

function only([answer]: readonly HandOver[]): HandOver {
  if (answer === undefined) throw new Error('the drain said nothing')
  return answer
}

/** The same bytes at every attempt: a notice that may have arrived is recognised when it comes again. */
function noticeOf(
  settings: Parts['settings'],
  { review, message }: { review: ReviewRow; message: MessageRow },
  to: string,
): Promise<Buffer> {
  const from = message.envelope.mail_from
  return compose({
    from: { email: from, name: 'Postroom' },
    to: [{ email: to }],
    cc: [],
    replyTo: [],
    subject: subjectOf(review, message).slice(0, 200).toWellFormed(),
    text: textOf(settings, review, message),
    html: null,
    files: [],
    headers: { 'Auto-Submitted': 'auto-generated' },
    messageId: `<${idSuffix(review.id)}.review@${from.slice(from.lastIndexOf('@') + 1)}>`,
    date: review.created_at,
    threading: { inReplyTo: null, references: [] },
    autoReplied: false,
  })
}

/** What a mail is held for that holds a secret must not leave by the notice of it. */
const isSecret = (review: ReviewRow) => reasonsOf(review).some(({ code }) => code === 'leak')

const reasonsOf = ({ reasons }: ReviewRow) => z.array(Reason).parse(reasons)

const subjectOf = (review: ReviewRow, { subject, envelope }: MessageRow) =>
  `A mail waits for you: ${isSecret(review) ? `from ${envelope.mail_from}` : subject}`

function textOf({ publicUrl }: Parts['settings'], review: ReviewRow, message: MessageRow): string {
  const path = `${publicUrl}/v1/agent/inboxes/${review.inbox_id}/reviews`
  return [
    `${message.envelope.mail_from} wants to send a mail, and a person must say yes or no.`,
    '',
    ...reasonsOf(review).map((reason) => `- ${reason.code === 'leak' ? SECRET : reason.message}`),
    '',
    `To: ${message.envelope.rcpt_to.join(', ')}`,
    ...(isSecret(review) ? UNTOLD : told(message)),
    '',
    `Look at it:  postroom reviews show ${review.id}`,
    `Let it go:   postroom reviews approve ${review.id}`,
    `Refuse it:   postroom reviews reject ${review.id}`,
    `Or over REST, with a key that has review:resolve: ${path}`,
    `It expires on ${review.expires_at.toISOString()}.`,
    `SHA-256 of the mail: ${review.sha256}`,
    '',
  ].join('\n')
}

/** A reason may name files. */
const SECRET =
  'The mail, or a file in it, may hold a secret or a word that must not leave: the review says which.'
const UNTOLD = ['', 'Its subject and text are left out here, since a secret may stand in them.']

const told = ({ subject, text_body }: MessageRow) => [
  `Subject: ${subject}`,
  '',
  ...text_body
    .slice(0, SHOWN)
    .toWellFormed()
    .split('\n')
    .map((line) => `> ${line}`),
]
