// Who may be written to without a person. Pure: it is told what is known of the final envelope and decides.
import type { SendPolicy } from '../inboxes/inbox.ts'

export interface Envelope {
  sendPolicy: SendPolicy
  agentSendPolicy: 'review-new' | 'review-all' | 'open'
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

export interface Objection {
  /** `review`: a person has to say yes. `deny`: nobody's yes helps as things are set. */
  effect: 'review' | 'deny'
  because: 'blocked' | 'send_policy' | 'agent_send_policy' | 'new_recipient'
  recipients: string[]
}

/**
 * Everything that the block-list, the inbox's send_policy and what binds agents on top of it have against
 * an envelope. The block-list wins over everything, since it denies.
 */
export function objectionsTo(envelope: Envelope): Objection[] {
  const { recipients, blocked } = envelope
  const barred = recipients.filter(({ email }) => isBlocked(email, blocked))
  return [
    { effect: 'deny' as const, because: 'blocked' as const, recipients: emails(barred) },
    byInbox(envelope),
    byAgent(envelope),
  ].filter((objection) => objection.recipients.length > 0)
}

function byInbox({ sendPolicy, recipients, allowed }: Envelope): Objection {
  const say = (effect: Objection['effect'], strangers: readonly Recipient[]): Objection => ({
    effect,
    because: 'send_policy',
    recipients: emails(strangers),
  })
  switch (sendPolicy) {
    case 'open':
      return say('deny', [])
    case 'off':
      return say('deny', recipients)
    case 'review':
      return say('review', recipients)
    case 'reply_only':
      return say(
        'deny',
        recipients.filter(({ ours, proven }) => !ours && !proven),
      )
    case 'allowlist':
      return say(
        'deny',
        recipients.filter(({ email, ours }) => !ours && !isAllowed(email, allowed)),
      )
  }
}

function byAgent({ agent, agentSendPolicy, recipients, allowed }: Envelope): Objection {
  const say = (because: Objection['because'], held: readonly Recipient[]): Objection => ({
    effect: 'review',
    because,
    recipients: emails(held),
  })
  if (!agent || agentSendPolicy === 'open') return say('agent_send_policy', [])
  if (agentSendPolicy === 'review-all') return say('agent_send_policy', recipients)
  return say(
    'new_recipient',
    recipients.filter((r) => !r.ours && !r.proven && !isAllowed(r.email, allowed)),
  )
}

/** Exactly the address, or exactly its domain. */
function isAllowed(email: string, entries: readonly string[]): boolean {
  const { address, domain } = parts(email)
  return entries.includes(address) || entries.includes(domain)
}

/** Wider than the allow-list: other spellings of a blocked mailbox and subdomains of a blocked domain are blocked too. */
function isBlocked(email: string, entries: readonly string[]): boolean {
  const tagged = mailboxOf(email)
  const untagged = tagged.replace(/\+[^@]*@/, '@')
  const domain = `.${parts(tagged).domain}`
  return entries.some((entry) => {
    const blocked = entry.includes('@') ? mailboxOf(entry) : oneNameOf(entry)
    return blocked === tagged || blocked === untagged || domain.endsWith(`.${blocked}`)
  })
}

/** One mailbox under two names, and dots before the @ mean nothing there. https://support.google.com/mail/answer/7436150 */
const GMAIL = 'gmail.com'
const oneNameOf = (domain: string) => (domain === 'googlemail.com' ? GMAIL : domain)

/** The one spelling of a mailbox, its tag kept. */
function mailboxOf(email: string): string {
  const { address, domain } = parts(email)
  if (oneNameOf(domain) !== GMAIL) return address
  const [, local = '', tag = ''] = /^([^+@]*)(.*)@/.exec(address) ?? []
  return `${local.replaceAll('.', '')}${tag}@${GMAIL}`
}

function parts(email: string) {
  const address = email.toLowerCase()
  return { address, domain: address.slice(address.lastIndexOf('@') + 1) }
}

const emails = (recipients: readonly Recipient[]) => recipients.map(({ email }) => email)
