// Reads a complaint: a recipient called our mail spam. RFC 5965, Abuse Reporting Format.
import { fieldAddress } from './address.ts'
import { headerEnd, readHeader } from './header.ts'
import { originalMessageId } from './original.ts'
import { readParts } from './parts.ts'

export interface Complaint {
  /** abuse, fraud, virus, not-spam, opt-out, auth-failure or other. RFC 5965 §7.3, RFC 6591. */
  feedback_type: string
  /** Who complains, where the report says so: providers often take the address out. */
  recipients: string[]
  /** The Message-ID that the report names, with angle brackets; whether it is ours is not judged. */
  original_message_id: string | null
}

const MAX_RECIPIENTS = 200
const REPORT = /^\s*multipart\/report\b.{0,500}report-type\s*=\s*"?feedback-report/is
const RECIPIENT = /^original-rcpt-to\s*:\s*([^\r\n]{1,320})/gim
const TYPE_FIELD: ReadonlySet<string> = new Set(['content-type'])

/**
 * Reads a complaint. Like a bounce it proves nothing: anybody can write one.
 * @param raw the mail as it came; its first 512 KiB are read
 * @returns null for every other mail
 */
export function readComplaint(raw: Buffer): Complaint | null {
  const block = raw.subarray(0, headerEnd(raw)).toString('latin1')
  if (!REPORT.test(readHeader(block, TYPE_FIELD)('content-type') ?? '')) return null
  const { feedback, returned, notices } = readParts(raw)
  const [fields] = feedback
  if (fields === undefined) return null
  const recipients = [...fields.matchAll(RECIPIENT)]
    .slice(0, MAX_RECIPIENTS)
    .map(([, value]) => fieldAddress(value))
    .filter((email) => email !== null)
  return {
    feedback_type: readHeader(fields.trimStart())('feedback-type')?.toLowerCase() || 'other',
    recipients: [...new Set(recipients)],
    original_message_id: originalMessageId({
      header: readHeader(block),
      returned,
      statusIds: '',
      notices,
    }),
  }
}
