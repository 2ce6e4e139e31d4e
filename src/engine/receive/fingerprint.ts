// Recognising the same delivery again: a sender that missed our 250 sends the mail once more.
import { createHash, hash } from 'node:crypto'
import { withLineEnds } from './authenticate/line-ends.ts'

const CRLF_CRLF = '\r\n\r\n'
/** Fields that relays add on the way (RFC 5321 §4.4), with their folded lines. */
const ADDED_ON_THE_WAY = /^(received|return-path):.*\r?\n([ \t].*\r?\n)*/gim

export const sha256 = (bytes: Uint8Array) => hash('sha256', bytes, 'hex')

/** Trace fields farther down are part of the fingerprint: no honest header is as long. */
const MAX_HEADER_BYTES = 512 * 1024

/**
 * SHA-256 of a mail without the trace fields, so that the same mail over another relay is the same; and with
 * line ends as on the wire, so that it is the same out of a file. A mail without an empty line is all header.
 */
export function fingerprint(raw: Buffer): string {
  const end = raw.indexOf(CRLF_CRLF)
  if (end < 0 && raw.includes('\n\n')) return fingerprint(withLineEnds(raw))
  const headerEnd = Math.min(end < 0 ? raw.length : end + 2, MAX_HEADER_BYTES)
  const header = raw.toString('latin1', 0, headerEnd).replace(ADDED_ON_THE_WAY, '')
  return createHash('sha256').update(header, 'latin1').update(raw.subarray(headerEnd)).digest('hex')
}
