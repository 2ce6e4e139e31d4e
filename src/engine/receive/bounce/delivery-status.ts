// Reads message/delivery-status: one group of fields a recipient. RFC 3464 §2, RFC 6533 §3.
import { fieldAddress } from './address.ts'
import type { Failure } from './failure.ts'
import { type Header, readHeader } from './header.ts'
import { enhancedStatus, sayings, smtpCode } from './reason.ts'

/** One report about more recipients than one mail may have is not ours. */
const MAX_RECIPIENTS = 200

export interface DeliveryStatus {
  /** Recipients that did not get the mail, or not yet. */
  failures: Failure[]
  /** Recipients that did: delivered, relayed, expanded. RFC 3464 §2.3.3. */
  reached: number
  /** Ids of the mail in the fields about the message. */
  ids: string
}

/** Every recipient that the status parts name, each address once. */
export function readStatuses(bodies: readonly string[]): DeliveryStatus {
  const groups = bodies.flatMap((body) => groupsOf(body)).map((group) => readHeader(group))
  const named = groups.filter(isRecipient).slice(0, MAX_RECIPIENTS)
  const failures = named.map(failureOf).filter((failure) => failure !== null)
  const reached = named.filter((group) => outcomeOf(group) === 'reached').length
  const about = groups.filter((group) => !isRecipient(group))
  const ids = about.flatMap((group) => ID_FIELDS.map((name) => group(name) ?? '')).join(' ')
  return { failures, reached, ids }
}

/** Exchange, Dovecot and Exim name the mail here; the RFC's own field names the envelope. */
const ID_FIELDS = ['original-message-id', 'x-original-message-id', 'original-envelope-id']

/** Groups are apart by an empty line, RFC 3464 §2.1; some write spaces into it. */
const groupsOf = (body: string) => body.split(/\r?\n[ \t]*\r?\n/, 2 * MAX_RECIPIENTS)

const isRecipient = (group: Header) =>
  group('final-recipient') !== undefined || group('original-recipient') !== undefined

type Outcome = 'failed' | 'delayed' | 'reached'

const ACTIONS: readonly { said: RegExp; outcome: Outcome }[] = [
  { said: /^(?:fail|error|bounce|reject|undeliver|expired)/, outcome: 'failed' },
  { said: /^delay/, outcome: 'delayed' },
  { said: /^(?:deliver|relay|expand|success)/, outcome: 'reached' },
]

/** The action decides; where it is none of the five, the class of the status does. RFC 3463 §3.1. */
function outcomeOf(group: Header): Outcome | null {
  const action = group('action')?.toLowerCase() ?? ''
  const known = ACTIONS.find(({ said }) => said.test(action))
  if (known !== undefined) return known.outcome
  switch (group('status')?.charAt(0)) {
    case '5':
      return 'failed'
    case '4':
      return 'delayed'
    case '2':
      return 'reached'
    default:
      return null
  }
}

function failureOf(group: Header): Failure | null {
  const outcome = outcomeOf(group)
  const email = addressOf(group)
  if (email === null || outcome === null || outcome === 'reached') return null
  const diagnostic = withoutType(group('diagnostic-code') ?? '')
  const status = group('status') ?? ''
  return {
    email,
    permanent: outcome === 'failed',
    code: smtpCode(diagnostic) ?? smtpCode(status),
    status: enhancedStatus(diagnostic, status),
    reason: sayings(diagnostic, group('x400-supplementary-info'), comment(status)),
  }
}

/** The address that we wrote to comes first: the final one may be a mailbox behind an alias. */
const addressOf = (group: Header) =>
  fieldAddress(group('original-recipient')) ??
  fieldAddress(group('final-recipient')) ??
  fieldAddress(group('x-actual-recipient'))

/** RFC 3464 §2.3.6: `smtp; 550 …`; the type is an atom. */
const withoutType = (diagnostic: string) => diagnostic.replace(/^[\w.-]{1,40}\s*;\s*/, '')

/** What people write behind the number of the status: `5.0.0 (disk quota)`, `553 too big`. */
const comment = (status: string) => status.replace(/^\d[\d.]*\s*/, '').replace(/^\((.*)\)$/s, '$1')
