// What a caller wrote, checked for its form before anything is looked up.
import { z } from 'zod'
import { type Address, addressesInput, readAddresses } from '../addresses.ts'
import { type Detail, ValidationFailed } from '../errors.ts'
import { attachmentInput, type Item, readAttachments } from './attached/given.ts'
import { MAX_CITATIONS } from './citations.ts'
import { cleanText } from './compose.ts'
import { readHeaders } from './headers.ts'

/** RFC 5322 §2.1.1: a line has at most 998 characters. */
export const MAX_SUBJECT = 998
/** Made of nothing but brackets it takes a second; it is read on the main thread. */
const MAX_MARKDOWN = 256 * 1024
/** Of HTML whose text is made of it: nested as deep as that it takes half a second. */
const MAX_TAGS = 50_000
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
  markdown_body: z.string().optional(),
  thread_id: z.string().optional(),
  reply_to_message_id: z.string().optional(),
  reply_all: z.boolean().optional(),
  /** Puts the message that is answered below the answer. */
  include_quoted: z.boolean().optional(),
  forward_message_id: z.string().optional(),
  attachments: z.array(attachmentInput).optional(),
  attachment_ids: z.array(z.string()).optional(),
  headers: z.record(z.string(), z.string()).optional(),
  citations: z.array(z.string()).max(MAX_CITATIONS).optional(),
  /** Puts a link into the header by which the recipient unsubscribes with one click. RFC 8058. */
  list_unsubscribe: z.boolean().optional(),
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
  markdown: string | null
  replyAll: boolean
  includeQuoted: boolean
  items: Item[]
  headers: Record<string, string>
  listUnsubscribe: boolean
}

/** Reads the fields of a mail. Throws ValidationFailed that names every wrong one. */
export function readWritten(input: MessageInput): Written {
  const fields = {
    to: readAddresses(input.to, 'to'),
    cc: readAddresses(input.cc, 'cc'),
    bcc: readAddresses(input.bcc, 'bcc'),
    reply_to: readAddresses(input.reply_to, 'reply_to'),
  }
  const { items, problems: wrongItems } = readAttachments(input)
  const { headers, problems: wrongHeaders } = readHeaders(input.headers)
  const problems = [
    ...Object.values(fields).flatMap((field) => field.problems),
    ...wrongSubject(input.subject),
    ...wrongBodies(input),
    ...wrongTarget(input),
    ...wrongItems,
    ...wrongPictures(items, input),
    ...wrongHeaders,
    ...twoLinks(input, headers),
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
    markdown: bodyOf(input.markdown_body),
    replyAll: input.reply_all ?? false,
    includeQuoted: input.include_quoted ?? false,
    items,
    headers,
    listUnsubscribe: input.list_unsubscribe ?? false,
  }
}

function twoLinks({ list_unsubscribe }: MessageInput, headers: Record<string, string>): Detail[] {
  const own = Object.keys(headers).find((name) => name.startsWith('List-Unsubscribe'))
  if (!list_unsubscribe || own === undefined) return []
  return [{ field: `headers.${own}`, message: 'is made by list_unsubscribe; give one of the two' }]
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

function wrongBodies({ text_body, html_body, markdown_body, ...input }: MessageInput): Detail[] {
  const plain = bodyOf(text_body) ?? bodyOf(html_body)
  const markdown = bodyOf(markdown_body)
  if (plain !== null && markdown !== null) {
    const message = 'becomes both text and HTML; leave text_body and html_body out'
    return [{ field: 'markdown_body', message }]
  }
  if (markdown !== null && markdown.length > MAX_MARKDOWN) {
    const message = `has ${markdown.length} characters; at most ${MAX_MARKDOWN} are taken: write text_body or html_body`
    return [{ field: 'markdown_body', message }]
  }
  if (!text_body?.trim() && html_body !== undefined && tagsIn(html_body) > MAX_TAGS) {
    const message = `is needed beside HTML of more than ${MAX_TAGS} tags: its words are not made of it`
    return [{ field: 'text_body', message }]
  }
  if (plain !== null || markdown !== null || input.forward_message_id !== undefined) return []
  const message = 'the mail has no body; give text_body, html_body or markdown_body'
  return [{ field: 'text_body', message }]
}

function tagsIn(html: string): number {
  let count = 0
  for (let at = html.indexOf('<'); at >= 0; at = html.indexOf('<', at + 1)) count += 1
  return count
}

const TARGETS = ['thread_id', 'reply_to_message_id', 'forward_message_id'] as const

function wrongTarget(input: MessageInput): Detail[] {
  const [first, ...others] = TARGETS.filter((field) => input[field] !== undefined)
  const problems: Detail[] = others.map((field) => ({
    field,
    message: `give ${first} or ${field}, not both`,
  }))
  if (input.thread_id === undefined && input.reply_to_message_id === undefined) {
    for (const field of ['reply_all', 'include_quoted'] as const) {
      const message = 'goes with a reply only: give thread_id or reply_to_message_id'
      if (input[field]) problems.push({ field, message })
    }
  }
  return problems
}

/** What the HTML shows by its content_id: a picture, and there is HTML. RFC 2392. */
function wrongPictures(items: readonly Item[], input: MessageInput): Detail[] {
  const hasHtml = (bodyOf(input.html_body) ?? bodyOf(input.markdown_body)) !== null
  return items.flatMap((item) => {
    const id = item.kind === 'file' ? item.file.contentId : item.contentId
    if (id === null) return []
    const field = `${item.field}.content_id`
    if (!hasHtml) {
      const message = `is for HTML that shows cid:${id}; give html_body or markdown_body, or leave it out`
      return [{ field, message }]
    }
    if (item.kind === 'kept' || item.file.contentType.startsWith('image/')) return []
    return [{ field, message: `is for pictures; the file is ${item.file.contentType}` }]
  })
}

const bodyOf = (body: string | undefined) => (body?.trim() ? cleanText(body) : null)
