// postroom reviews: look at the mail that waits for a person, let it go, or refuse it.
import { parseArgs } from 'node:util'
import {
  approveReview,
  getReview,
  listReviews,
  rejectReview,
} from '../../engine/send/reviews/operations.ts'
import type { Review } from '../../engine/send/reviews/review.ts'
import { type CommandContext, UsageError } from './command.ts'
import { table } from './table.ts'

const PAGE = 100
const USE =
  'Use: reviews [list] [--all] | reviews show ID | reviews approve ID [--sha256 HASH] | reviews reject ID [--reason TEXT]'
/** Terminals obey what a mail says to them: escape sequences, and characters that turn the reading direction. */
const UNSAFE = /(?!\n|\t)\p{Cc}|[\p{Bidi_Control}\u2028\u2029]/gu

export async function runReviews(context: CommandContext): Promise<number> {
  const { values, positionals } = readOptions([...context.argv])
  const [verb = 'list', id, ...more] = positionals
  if (verb === 'list' && id === undefined) return list(context, values.all ?? false)
  if (id === undefined || more.length > 0) throw new UsageError(USE)
  if (verb === 'show') return show(context, id)
  if (verb === 'approve') return approve(context, id, values.sha256)
  if (verb === 'reject') return reject(context, id, values.reason)
  throw new UsageError(USE)
}

function readOptions(args: string[]) {
  try {
    const options = {
      all: { type: 'boolean' },
      sha256: { type: 'string' },
      reason: { type: 'string' },
    } as const
    return parseArgs({ args, options, allowPositionals: true })
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)}\n${USE}`)
  }
}

async function list(context: CommandContext, all: boolean): Promise<number> {
  const engine = await context.engine()
  const operator = await context.operator()
  const rows: Review[] = []
  for (let cursor: string | undefined, more = true; more; more = cursor !== undefined) {
    const page = await listReviews.run(engine, operator, {
      ...(all ? {} : { status: 'pending' as const }),
      limit: PAGE,
      offset: 0,
      cursor,
    })
    rows.push(...page.data)
    cursor = page.pagination.next_cursor
  }
  const none = all ? 'No mail was ever held for a person.\n' : 'No mail waits for a person.\n'
  if (rows.length === 0) context.out(none)
  else context.out(table(['id', 'status', 'from', 'to', 'subject', 'expires'], rows.map(rowOf)))
  return 0
}

function rowOf({ id, status, message, expires_at }: Review): string[] {
  const [first = '', ...others] = recipientsOf(message)
  const to = others.length === 0 ? first : `${first} +${others.length}`
  const from = message.from?.email ?? ''
  const subject = safe(message.subject).replace(/\s+/g, ' ').slice(0, 50)
  return [id, status, from, to, subject, expires_at]
}

async function show(context: CommandContext, id: string): Promise<number> {
  const { message, ...review } = await reviewOf(context, id)
  const lines = [
    `${review.id}  ${review.status}${review.resolved_by ? ` by ${safe(review.resolved_by)}` : ''}`,
    ...review.reasons.map((reason) => `  because: ${safe(reason.message)}`),
    `  expires: ${review.expires_at}`,
    `  sha256:  ${review.sha256}`,
    '',
    `From:    ${message.from?.email ?? ''}`,
    `To:      ${message.to.map(({ email }) => email).join(', ')}`,
    ...(message.cc.length > 0
      ? [`Cc:      ${message.cc.map(({ email }) => email).join(', ')}`]
      : []),
    ...(message.bcc?.length
      ? [`Bcc:     ${message.bcc.map(({ email }) => email).join(', ')}`]
      : []),
    `Subject: ${safe(message.subject)}`,
    ...message.attachments.map(
      ({ filename, content_type, size }) =>
        `File:    ${safe(filename ?? '(no name)')} (${content_type}, ${size} bytes)`,
    ),
    '',
    safe(message.text_body),
  ]
  context.out(`${lines.join('\n')}\n`)
  return 0
}

/** Without a hash, the mail as it lies there now is meant: nobody can change it in between, since an edit is another mail. */
async function approve(
  context: CommandContext,
  id: string,
  sha256: string | undefined,
): Promise<number> {
  const hash = sha256 ?? (await reviewOf(context, id)).sha256
  const input = { review_id: id, sha256: hash }
  const done = await approveReview.run(await context.engine(), await context.operator(), input)
  context.out(`${id} is approved: the mail is ${done.message.status}.\n`)
  return 0
}

async function reject(
  context: CommandContext,
  id: string,
  reason: string | undefined,
): Promise<number> {
  const input = { review_id: id, ...(reason === undefined ? {} : { reason }) }
  await rejectReview.run(await context.engine(), await context.operator(), input)
  context.out(`${id} is rejected: the mail does not go.\n`)
  return 0
}

const reviewOf = async (context: CommandContext, id: string) =>
  getReview.run(await context.engine(), await context.operator(), { review_id: id })

const recipientsOf = ({ to, cc, bcc = [] }: Review['message']) =>
  [...to, ...cc, ...bcc].map(({ email }) => email)

const safe = (text: string) => text.replace(UNSAFE, '')
