// Is a mail a report that another mail was not delivered? Which, to whom, for good, and why.
import { addressesIn, fieldAddress } from './address.ts'
import { decodeWords } from './decode.ts'
import { readStatuses } from './delivery-status.ts'
import { type Failure, merged } from './failure.ts'
import { type Header, headerEnd, readHeader } from './header.ts'
import { failuresIn, noticeLines, type Reader } from './notice.ts'
import { originalMessageId } from './original.ts'
import { type Report, readParts } from './parts.ts'
import { FAILURE, tellsOfDelay } from './phrases.ts'
import { enhancedStatus, meaningOf, sayings, smtpCode } from './reason.ts'
import { SIGN_FIELDS, type Sign, signOf } from './signs.ts'

export interface Bounce {
  /** At least one; permanent means that nothing more will be tried. */
  recipients: Failure[]
  /** The Message-ID that the report names, with angle brackets; whether it is ours is not judged. */
  original_message_id: string | null
}

export interface Incoming {
  /** The mail as it came. */
  raw: Buffer
  /** The envelope sender, empty for `<>`; undefined where it is unknown. */
  mailFrom?: string
}

/**
 * Reads a bounce: a delivery status notification (RFC 3464, RFC 6533) or one of the many notices
 * that are not. Nothing in it is proven: anybody can write one.
 * Ordinary mail costs a look at its header, about 10 µs; of a report 512 KiB are read at most.
 * @returns null for every other mail, also for reports of success, read receipts and complaints
 */
export function readBounce({ raw, mailFrom }: Incoming): Bounce | null {
  const block = raw.subarray(0, headerEnd(raw)).toString('latin1')
  const sign = signOf(readHeader(block, SIGN_FIELDS), mailFrom)
  if (sign === null) return null
  const header = readHeader(block)
  const report = readParts(raw)
  if (report.feedback.length > 0) return null
  const statuses = readStatuses(report.statuses)
  if (statuses.failures.length === 0 && statuses.reached > 0) return null
  const failures = merged(recipientsOf(header, report, statuses.failures, sign))
  if (failures.length === 0) return null
  const { returned, notices } = report
  return {
    recipients: failures.map(withWords),
    original_message_id: originalMessageId({ header, returned, statusIds: statuses.ids, notices }),
  }
}

const withWords = (failure: Failure): Failure =>
  failure.reason === '' ? { ...failure, reason: meaningOf(failure) } : failure

/** Fields name the recipients more surely than words; words then only tell why. */
function recipientsOf(header: Header, report: Report, stated: Failure[], sign: Sign): Failure[] {
  const told = toldIn(header, report, sign)
  const named = stated.length > 0 ? stated : failedRecipients(header, told)
  if (named.length === 0) return told.length > 0 ? told : onlyReturned(report, sign)
  const known = new Set(named.map(({ email }) => email.toLowerCase()))
  return [...named, ...told.filter(({ email }) => known.has(email.toLowerCase()))]
}

function toldIn(header: Header, report: Report, sign: Sign): Failure[] {
  const subject = decodeWords(header('subject') ?? '')
  const from = addressesIn(header('from') ?? '')
  const reader = {
    common: sign === 'system' && report.dispositions.length === 0,
    domain: from[0]?.split('@')[1] ?? '',
    own: new Set([...from, ...addressesIn(header('to') ?? '')].map((one) => one.toLowerCase())),
  }
  for (const text of [...report.notices, subject]) {
    const lines = noticeLines(text)
    const permanent = !tellsOfDelay([subject, ...lines].join(' ').replace(/\s+/g, ' '))
    const failures = failuresIn(lines, { ...reader, permanent } satisfies Reader)
    if (failures.length > 0) return failures
  }
  return []
}

/** One mail has no more. */
const MAX_RECIPIENTS = 200

/** X-Failed-Recipients of Exim and Gmail: addresses with commas between them. */
function failedRecipients(header: Header, told: readonly Failure[]): Failure[] {
  const permanent = told[0]?.permanent ?? true
  return (header('x-failed-recipients') ?? '')
    .split(',', MAX_RECIPIENTS)
    .map((part) => fieldAddress(part))
    .filter((email) => email !== null)
    .map((email) => ({ email, permanent, code: null, status: null, reason: '' }))
}

/** Fields of mail that went through a list: its To is not whom it was delivered to. */
const LIST_FIELDS = [
  'list-id',
  'list-post',
  'precedence',
  'sender',
  'errors-to',
  'newsgroups',
  'cc',
]

/** A notice that names nobody is about the one recipient of the mail that came back. */
function onlyReturned({ notices, dispositions, returned }: Report, sign: Sign): Failure[] {
  const [mail] = returned
  if (sign !== 'system' || dispositions.length > 0 || mail === undefined) return []
  const said = notices.map((text) => noticeLines(text).join(' ')).join(' ')
  if (!FAILURE.test(said)) return []
  const header = readHeader(mail.split(/\r?\n\r?\n/, 1)[0] ?? '')
  if (LIST_FIELDS.some((name) => header(name) !== undefined)) return []
  const [email, another] = addressesIn(header('to') ?? '')
  if (email === undefined || another !== undefined) return []
  return [
    {
      email,
      permanent: !tellsOfDelay(said),
      code: smtpCode(said),
      status: enhancedStatus(said),
      reason: sayings(said),
    },
  ]
}
