// What nodemailer reports about one mail, as one answer a recipient. RFC 5321 §4.2.
import type { NodemailerError } from 'nodemailer'
import type { SMTPPoolSentMessageInfo } from 'nodemailer/lib/smtp-pool'
import type { HandOver } from '../engine/ports.ts'

const LONGEST_DETAIL = 500

/**
 * Replies that say that our settings are wrong, not the mail: it waits until somebody mends them.
 * 503 bad sequence, RFC 4954 §4 and §6: 530 authentication required, 534 and 535 login refused, 538 encryption required.
 */
const OUR_FAULT = new Set([503, 530, 534, 535, 538])

const REASONS: Record<string, string> = {
  EAUTH: 'the relay refused the user or password of SMTP_RELAY_URL',
  ENOAUTH: 'the relay wants a user and password in SMTP_RELAY_URL',
  EDNS: 'the name of the relay was not found',
  ESOCKET: 'the relay could not be reached',
  ECONNECTION: 'the relay closed the connection',
  ETIMEDOUT: 'the relay did not answer in time',
  ETLS: 'no secure connection to the relay',
  EPROTOCOL: 'the relay did not speak SMTP',
}

/** The line is gone or silent: the relay has not said what became of the mail. */
const LINE_LOST = new Set(['ECONNECTION', 'ESOCKET', 'ETIMEDOUT', 'EPROTOCOL'])

type Refusal = Pick<NodemailerError, 'recipient' | 'responseCode' | 'response'>

/** The relay took the mail for at least one recipient: which answer is this one's? */
export function afterAnswer(
  recipient: string,
  info: SMTPPoolSentMessageInfo,
  everybody: readonly string[],
): HandOver {
  const refusal = refusalOf(recipient, info.rejectedErrors)
  if (refusal !== undefined) return fromReply(refusal)
  const remoteId = info.serverMessageId ?? reportedId(info.response, everybody)
  const accepted = { kind: 'accepted' as const, code: codeOf(info.response) }
  const detail = words(info.response)
  return remoteId === undefined ? { ...accepted, detail } : { ...accepted, detail, remoteId }
}

/**
 * The relay took nothing.
 * @param dotSent whether the whole mail was on the way to the socket when it failed. Nodemailer
 *   reports a lost connection alike in every phase, so the difference has to come from us.
 */
export function afterFailure(recipient: string, error: unknown, dotSent: boolean): HandOver {
  const failure = error as NodemailerError
  const kind = failure.code ?? ''
  const refusal = refusalOf(recipient, failure.rejectedErrors)
  if (refusal !== undefined) return fromReply(refusal)
  if (failure.responseCode !== undefined && kind !== 'EAUTH') return fromReply(failure)
  if (kind === 'EMESSAGE') {
    // Without a reply: larger than the SIZE that the relay announced (RFC 1870 §6.1).
    return { kind: 'refused', code: 552, detail: clipped(failure.message) }
  }
  if (dotSent && LINE_LOST.has(kind)) {
    const detail = `the connection was lost after the final dot: ${failure.message}`
    return { kind: 'uncertain', detail: clipped(detail) }
  }
  const named = REASONS[kind]
  const detail = clipped(named === undefined ? failure.message : `${named}: ${failure.message}`)
  return { kind: 'deferred', code: failure.responseCode ?? null, detail }
}

function fromReply({ responseCode = 0, response = '' }: Refusal): HandOver {
  const detail = words(response)
  if (responseCode < 500) return { kind: 'deferred', code: responseCode || null, detail }
  if (!OUR_FAULT.has(responseCode)) return { kind: 'refused', code: responseCode, detail }
  return {
    kind: 'deferred',
    code: responseCode,
    detail: clipped(`${REASONS[responseCode === 535 ? 'EAUTH' : 'ENOAUTH']}: ${detail}`),
  }
}

function refusalOf(recipient: string, refusals: readonly Refusal[] | undefined) {
  // Nodemailer writes domains in lower case.
  const key = recipient.toLowerCase()
  return refusals?.find((refusal) => refusal.recipient?.toLowerCase() === key)
}

/** An id in angle brackets in the final 250, where it is not one of the recipients. */
function reportedId(response: string, everybody: readonly string[]): string | undefined {
  const id = /<[^<>\s@]+@[^<>\s@]+>/.exec(response)?.[0]
  return id !== undefined && everybody.includes(id.slice(1, -1)) ? undefined : id
}

const codeOf = (response: string) => Number(/^\d{3}/.exec(response)?.[0] ?? 250)

/** The words of a reply without its codes at the line heads; enhanced codes (RFC 3463) stay. */
const words = (response: string) => clipped(response.replace(/^\d{3}[ -]?/gm, ''))

const clipped = (text: string) =>
  text
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, LONGEST_DETAIL)
