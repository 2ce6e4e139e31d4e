// What nodemailer reports about one mail, as one answer a recipient. RFC 5321 §4.2.
import { domainToASCII } from 'node:url'
import type { NodemailerError } from 'nodemailer'
import type { SMTPPoolSentMessageInfo } from 'nodemailer/lib/smtp-pool'
import type { HandOver } from '../engine/ports.ts'
import type { Sent } from './smtp-pool.ts'

/** How the server is called in our words. */
export interface Peer {
  name: string
  /** Where a wrong or missing login would be mended. */
  login?: string
  /** Ours, so that it is believed which Message-ID it has given the mail; anybody else could claim that of any mail. */
  givesIds?: true
}

const LONGEST_DETAIL = 500

/**
 * Replies that say that our settings are wrong, not the mail: it waits until somebody mends them.
 * 503 bad sequence, RFC 4954 §4 and §6: 530 authentication required, 534 and 535 login refused, 538 encryption required.
 */
const OUR_FAULT = new Set([503, 530, 534, 535, 538])

const REASONS: Record<string, (peer: Peer) => string> = {
  EAUTH: ({ name, login = '' }) => `${name} refused the user or password ${login}`,
  ENOAUTH: ({ name, login = '' }) => `${name} wants a user and password ${login}`,
  EDNS: ({ name }) => `the name of ${name} was not found`,
  ESOCKET: ({ name }) => `${name} could not be reached`,
  ECONNECTION: ({ name }) => `${name} closed the connection`,
  ETIMEDOUT: ({ name }) => `${name} did not answer in time`,
  ETLS: ({ name }) => `no secure connection to ${name}`,
  EPROTOCOL: ({ name }) => `${name} did not speak SMTP`,
}

/** The line is gone or silent: the server has not said what became of the mail. */
export const LINE_LOST: ReadonlySet<string> = new Set([
  'ECONNECTION',
  'ESOCKET',
  'ETIMEDOUT',
  'EPROTOCOL',
])

type Refusal = Pick<NodemailerError, 'recipient' | 'responseCode' | 'response'>

/** One answer a recipient, in the order of `to`. */
export function answersOf(to: readonly string[], sent: Sent, peer: Peer): HandOver[] {
  return to.map((recipient) => answerOf(recipient, to, sent, peer))
}

function answerOf(
  recipient: string,
  everybody: readonly string[],
  sent: Sent,
  peer: Peer,
): HandOver {
  switch (sent.kind) {
    case 'answered':
      return afterAnswer(recipient, sent.info, everybody, peer)
    case 'failed':
      return afterFailure(recipient, sent, peer)
    case 'ascii only':
      return asciiOnly(recipient, peer)
  }
}

/** RFC 6531 §3.5: such mail is refused rather than changed; 5.6.7 (RFC 5248) says that its addresses are not supported. */
function asciiOnly(recipient: string, { name }: Peer): HandOver {
  const domain = recipient.slice(recipient.lastIndexOf('@') + 1)
  const detail = clipped(
    `5.6.7 ${name}, which has the mail for ${domain}, takes no international addresses: it offers no SMTPUTF8`,
  )
  return { kind: 'refused', code: 550, detail, asciiOnly: true }
}

/** The server took the mail for at least one recipient: which answer is this one's? */
function afterAnswer(
  recipient: string,
  info: SMTPPoolSentMessageInfo,
  everybody: readonly string[],
  peer: Peer,
): HandOver {
  const refusal = refusalOf(recipient, info.rejectedErrors)
  if (refusal !== undefined) return fromReply(refusal, peer)
  const remoteId = peer.givesIds && idGiven(info, everybody)
  const accepted = { kind: 'accepted' as const, code: codeOf(info.response) }
  const detail = words(info.response)
  return remoteId === undefined ? { ...accepted, detail } : { ...accepted, detail, remoteId }
}

/**
 * The server took nothing. Nodemailer reports a lost connection alike in every phase, so the phase
 * comes from us.
 */
function afterFailure(
  recipient: string,
  { error, phase }: Extract<Sent, { kind: 'failed' }>,
  peer: Peer,
): HandOver {
  const kind = error.code ?? ''
  const refusal = refusalOf(recipient, error.rejectedErrors)
  if (refusal !== undefined) return fromReply(refusal, peer)
  if (error.responseCode !== undefined && kind !== 'EAUTH') return fromReply(error, peer)
  if (kind === 'EMESSAGE') {
    // Without a reply: larger than the SIZE that the server announced (RFC 1870 §6.1).
    return { kind: 'refused', code: 552, detail: clipped(error.message) }
  }
  if (phase === 'dot sent' && LINE_LOST.has(kind)) {
    const detail = `the connection was lost after the final dot: ${error.message}`
    return { kind: 'uncertain', detail: clipped(detail) }
  }
  const named = REASONS[kind]?.(peer)
  const detail = clipped(named === undefined ? error.message : `${named}: ${error.message}`)
  return { kind: 'deferred', code: error.responseCode ?? null, detail }
}

function fromReply({ responseCode = 0, response = '' }: Refusal, peer: Peer): HandOver {
  const detail = words(response)
  if (responseCode < 500) return { kind: 'deferred', code: responseCode || null, detail }
  if (!OUR_FAULT.has(responseCode)) return { kind: 'refused', code: responseCode, detail }
  const reason =
    peer.login === undefined
      ? `${peer.name} takes nothing over this kind of connection`
      : REASONS[responseCode === 535 ? 'EAUTH' : 'ENOAUTH']?.(peer)
  return { kind: 'deferred', code: responseCode, detail: clipped(`${reason}: ${detail}`) }
}

function refusalOf(recipient: string, refusals: readonly Refusal[] | undefined) {
  const key = asWritten(recipient)
  return refusals?.find((refusal) => asWritten(refusal.recipient ?? '') === key)
}

/** Nodemailer writes domains in lower case, and in letters where the local part is international. */
function asWritten(address: string): string {
  const at = address.lastIndexOf('@') + 1
  return `${address.slice(0, at)}${domainToASCII(address.slice(at))}`.toLowerCase()
}

/** RFC 5322 §3.6.4, printable ASCII. A line has at most 998 characters (§2.1.1), and an index of the database 2,704 bytes. */
const MESSAGE_ID = /<[!-;=?A-~]{1,450}@[!-;=?A-~]{1,450}>/

/** What the library knows to be an id (Amazon SES, Microsoft), else one in angle brackets that is none of the recipients. */
function idGiven(
  { serverMessageId, response }: SMTPPoolSentMessageInfo,
  everybody: readonly string[],
): string | undefined {
  const id = MESSAGE_ID.exec(serverMessageId ?? response)?.[0]
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
