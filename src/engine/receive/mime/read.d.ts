import type { Mailbox } from '../../messages/address.ts'
import type { Part } from './walk.js'

/** A field of the header as it came, folded, its 8-bit letters read; `key` is its name in lower case. */
export interface HeaderLine {
  key: string
  line: string
}

/** A text of a mail, in one form or in both; the forms say the same. */
export interface Piece {
  plain: string | null
  html: string | null
}

export interface ReadAttachment {
  /** Its own name, or null; encoded words and RFC 2231 read. */
  filename: string | null
  contentType: string
  /** Bytes, decoded. */
  size: number
  inline: boolean
  /** With angle brackets, as in the header. */
  contentId: string | null
}

export interface Mail {
  /** `partial`: more than the limits, what is missing stands in the raw mail. */
  status: 'ok' | 'partial'
  headerLines: HeaderLine[]
  /** Of all From fields, groups as their members. */
  from: Mailbox[]
  to: Mailbox[]
  cc: Mailbox[]
  replyTo: Mailbox[]
  subject: string
  pieces: Piece[]
  attachments: ReadAttachment[]
  reports: { contentType: string; text: string }[]
  /** The first text/calendar part. RFC 5545. */
  calendar: string | null
}

export function readMail(raw: Buffer): Mail
export function readHeader(raw: Buffer): Mail
export function readAttachment(
  raw: Buffer,
  position: number,
): { filename: string | null; contentType: string; bytes: Buffer } | undefined
export function leavesOf(part: Part): Part[]
export function bytesOf(raw: Buffer, part: Part, limit?: number): Buffer
