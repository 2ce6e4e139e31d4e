// Who may be written to without a person. Pure: it is told what is known of the final envelope and decides.
import type { SendPolicy } from '../inboxes/inbox.ts'

export interface Envelope {
  sendPolicy: SendPolicy
  agentSendPolicy: 'review-new' | 'review-all' | 'open'
  outbound: 'dry-run' | 'relay' | 'mx'
  /** Whether an agent sends: its key is an agent's, or the call came through the MCP door. */
  agent: boolean
  recipients: readonly Recipient[]
  /** Entries of the inbox's lists, in lower case: an address or a domain. */
  allowed: readonly string[]
  blocked: readonly string[]
}

export interface Recipient {
  email: string
  /** An inbox of the sender's own organization. */
  ours: boolean
  /** Proven in the thread: wrote to it with DMARC pass, or was written to by a person there. */
  proven: boolean
}

export type Verdict =
  | { kind: 'allow' }
  /** A person would have to say yes. */
  | { kind: 'review'; because: 'send_policy' | 'AGENT_SEND_POLICY'; recipients: string[] }
  /** Nobody's yes helps as things are set. */
  | { kind: 'deny'; because: 'blocked' | 'send_policy'; recipients: string[] }

/**
 * The block-list wins over everything, then the inbox's send_policy, then what binds agents on top of it.
 * In dry-run nothing leaves, so nothing waits for a person; what is denied stays denied, so that the
 * lists and policies of an inbox can be tried out.
 */
export function decide(envelope: Envelope): Verdict {
  const { recipients, blocked, outbound } = envelope
  const barred = recipients.filter(({ email }) => isBlocked(email, blocked))
  if (barred.length > 0) return { kind: 'deny', because: 'blocked', recipients: emails(barred) }
  const verdict = byInbox(envelope) ?? byAgent(envelope) ?? { kind: 'allow' }
  return verdict.kind === 'review' && outbound === 'dry-run' ? { kind: 'allow' } : verdict
}

function byInbox({ sendPolicy, recipients, allowed }: Envelope): Verdict | undefined {
  const deny = (strangers: readonly Recipient[]): Verdict | undefined =>
    strangers.length === 0
      ? undefined
      : { kind: 'deny', because: 'send_policy', recipients: emails(strangers) }
  switch (sendPolicy) {
    case 'open':
      return undefined
    case 'off':
      return deny(recipients)
    case 'review':
      return { kind: 'review', because: 'send_policy', recipients: emails(recipients) }
    case 'reply_only':
      return deny(recipients.filter(({ ours, proven }) => !ours && !proven))
    case 'allowlist':
      return deny(recipients.filter(({ email, ours }) => !ours && !isAllowed(email, allowed)))
  }
}

function byAgent({ agent, agentSendPolicy, recipients, allowed }: Envelope): Verdict | undefined {
  if (!agent || agentSendPolicy === 'open') return undefined
  const held =
    agentSendPolicy === 'review-all'
      ? recipients
      : recipients.filter((r) => !r.ours && !r.proven && !isAllowed(r.email, allowed))
  if (held.length === 0) return undefined
  return { kind: 'review', because: 'AGENT_SEND_POLICY', recipients: emails(held) }
}

/** Exactly the address, or exactly its domain. */
function isAllowed(email: string, entries: readonly string[]): boolean {
  const { address, domain } = parts(email)
  return entries.includes(address) || entries.includes(domain)
}

/** Wider than the allow-list: plus-tags and subdomains of what is blocked are blocked too. */
function isBlocked(email: string, entries: readonly string[]): boolean {
  const { address, domain } = parts(email)
  const untagged = address.replace(/\+[^@]*@/, '@')
  return entries.some(
    (entry) => entry === address || entry === untagged || `.${domain}`.endsWith(`.${entry}`),
  )
}

function parts(email: string) {
  const address = email.toLowerCase()
  return { address, domain: address.slice(address.lastIndexOf('@') + 1) }
}

const emails = (recipients: readonly Recipient[]) => recipients.map(({ email }) => email)
