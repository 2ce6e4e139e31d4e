// What a caller wrote, checked for its form before anything is looked up.
import { z } from 'zod'
import { type Address, addressesInput, readAddresses } from '../addresses.ts'
import { type Detail, ValidationFailed } from '../errors.ts'
import { cleanText } from './compose.ts'

/** RFC 5322 §2.1.1: a line has at most 998 characters. */
export const MAX_SUBJECT = 998
const UNFIT_FOR_A_HEADER = /[\p{Cc}\u2028\u2029]/u

export const messageInput = z.strictObject({
  inbox_id: z.string().optional(),
  to: addressesInput.optional(),
  cc: addressesInput.optional(),
  bcc: addressesInput.optional(),
  reply_to: addressesInput.optional(),
  subject: z.string().optional(),
  text_body: z.string().optional(),
  html_body: z.string().optional(),
  thread_id: z.string().optional(),
  reply_to_message_id: z.string().optional(),
})
export type MessageInput = z.output<typeof messageInput>

export interface Written {
  to: Address[]
  cc: Address[]
  bcc: Address[]
  replyTo: Address[]
  /** Null where it was left out or blank. */
  subject: string | null
  text: string | null
  html: string | null
}

/** Reads the fields of a mail. Throws ValidationFailed that names every wrong one. */
export function readWritten(input: MessageInput): Written {
  const fields = {
    to: readAddresses(input.to, 'to'),
    cc: readAddresses(input.cc, 'cc'),
    bcc: readAddresses(input.bcc, 'bcc'),
    reply_to: readAddresses(input.reply_to, 'reply_to'),
  }
  const problems = [
    ...Object.values(fields).flatMap((field) => field.problems),
    ...wrongSubject(input.subject),
    ...wrongBodies(input),
    ...wrongTarget(input),
  ]
  if (problems.length > 0) throw new ValidationFailed(problems)
  return {
    to: fields.to.addresses,
    cc: fields.cc.addresses,
    bcc: fields.bcc.addresses,
    replyTo: fields.reply_to.addresses,
    subject: input.subject?.trim() ? cleanText(input.subject.trim()) : null,
    text: bodyOf(input.text_body),
    html: bodyOf(input.html_body),
  }
}

function wrongSubject(subject = ''): Detail[] {
  if (UNFIT_FOR_A_HEADER.test(subject)) {
    return [
      {
        field: 'subject',
        message: 'holds a line break or control character; write it in one line',
      },
    ]
  }
  if (subject.length <= MAX_SUBJECT) return []
  const message = `has ${subject.length} characters; at most ${MAX_SUBJECT} fit`
  return [{ field: 'subject', message }]
}

function wrongBodies({ text_body, html_body }: MessageInput): Detail[] {
  if (bodyOf(text_body) !== null || bodyOf(html_body) !== null) return []
  return [{ field: 'text_body', message: 'the mail has no body; give text_body or html_body' }]
}

function wrongTarget({ thread_id, reply_to_message_id }: MessageInput): Detail[] {
  if (thread_id === undefined || reply_to_message_id === undefined) return []
  const message = 'give thread_id or reply_to_message_id, not both'
  return [{ field: 'reply_to_message_id', message }]
}

const bodyOf = (body: string | undefined) => (body?.trim() ? cleanText(body) : null)
