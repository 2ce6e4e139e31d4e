// Attachments as a caller names them: bytes in base64, or the id of a file that is kept here.
import { z } from 'zod'
import { type Detail, TooLarge } from '../../errors.ts'
import {
  type AttachedFile,
  cleanFilename,
  contentTypeOf,
  isContentId,
  MAX_FILE,
  MAX_FILES,
  megabytes,
} from './file.ts'

export const attachmentInput = z.strictObject({
  filename: z.string().optional(),
  content_type: z.string().optional(),
  /** Base64. */
  content: z.string().optional(),
  /** Of an upload or of an attachment that came or went, or the id of a document. */
  attachment_id: z.string().optional(),
  /** Set for a picture that the HTML shows as `cid:…`. */
  content_id: z.string().optional(),
})
export type AttachmentInput = z.output<typeof attachmentInput>

/** A file whose bytes are here, or one to be fetched. `field` names it in what is said about it. */
export type Item =
  | { kind: 'file'; field: string; file: AttachedFile }
  | {
      kind: 'kept'
      field: string
      id: string
      /** Replaces its own name. */
      filename: string | undefined
      contentId: string | null
    }

interface Given {
  attachments?: AttachmentInput[] | undefined
  attachment_ids?: string[] | undefined
}

/** The items of both fields in their order, and what is wrong with the others. Throws TooLarge for a file over 10 MB. */
export function readAttachments({ attachments = [], attachment_ids = [] }: Given): {
  items: Item[]
  problems: Detail[]
} {
  const count = attachments.length + attachment_ids.length
  if (count > MAX_FILES) {
    const field = attachments.length > 0 ? 'attachments' : 'attachment_ids'
    const message = `a mail takes at most ${MAX_FILES} attachments; these are ${count}`
    return { items: [], problems: [{ field, message }] }
  }
  const read = [
    ...attachments.map((one, n) => readItem(one, `attachments.${n}`)),
    ...attachment_ids.map((id, n) => keptItem({ attachment_id: id }, id, `attachment_ids.${n}`)),
  ]
  const items = read.flatMap((one) => ('kind' in one ? [one] : []))
  const problems = read.flatMap((one) => ('kind' in one ? [] : [one]))
  return { items, problems: [...problems, ...sameContentIds(items)] }
}

function readItem(input: AttachmentInput, field: string): Item | Detail {
  const { content, attachment_id: id, content_id } = input
  if ((content === undefined) === (id === undefined)) {
    return { field, message: 'needs either content (base64, with a filename) or attachment_id' }
  }
  if (content_id !== undefined && !isContentId(content_id)) {
    const message = 'must be a name of letters, digits and . _ - like logo or logo@example.com'
    return { field: `${field}.content_id`, message }
  }
  return content === undefined ? keptItem(input, id ?? '', field) : fileItem(input, content, field)
}

function keptItem(input: AttachmentInput, id: string, field: string): Item | Detail {
  if (input.content_type !== undefined) {
    return { field: `${field}.content_type`, message: 'is known of a kept file; leave it out' }
  }
  const name = nameOf(input, field)
  if (typeof name === 'object') return name
  return { kind: 'kept', field, id, filename: name, contentId: input.content_id ?? null }
}

function fileItem(input: AttachmentInput, content: string, field: string): Item | Detail {
  const filename = nameOf(input, field)
  if (typeof filename === 'object') return filename
  if (filename === undefined) return { field: `${field}.filename`, message: 'is required' }
  const contentType = contentTypeOf(input.content_type, filename)
  if (contentType === undefined) {
    const message = `${JSON.stringify(input.content_type?.slice(0, 80))} is no type like application/pdf`
    return { field: `${field}.content_type`, message }
  }
  const bytes = fromBase64(content)
  if (bytes === undefined) {
    const message = 'is not base64; give the bytes of the file in base64, without "data:…,"'
    return { field: `${field}.content`, message }
  }
  requireSize(bytes.length, filename, field)
  const file = { filename, contentType, bytes, contentId: input.content_id ?? null }
  return { kind: 'file', field, file }
}

function nameOf({ filename }: AttachmentInput, field: string): string | undefined | Detail {
  if (filename === undefined) return undefined
  if (/[\r\n\0]/.test(filename)) {
    return { field: `${field}.filename`, message: 'holds a line break; write it in one line' }
  }
  const name = cleanFilename(filename)
  return name ?? { field: `${field}.filename`, message: 'names no file' }
}

/** RFC 4648 §4 and §5, line breaks passed over; undefined where it is something else. */
function fromBase64(text: string): Buffer | undefined {
  const digits = text.replace(/\s+/g, '')
  const [written = ''] = /^[\w+/-]*/.exec(digits) ?? []
  const padding = digits.length - written.length
  if (padding > 2 || !/^=*$/.test(digits.slice(written.length))) return undefined
  if (written.includes('_') && /[+/]/.test(written)) return undefined
  return written.length % 4 === 1 ? undefined : Buffer.from(written, 'base64')
}

/** Throws TooLarge, naming the file. */
export function requireSize(bytes: number, filename: string, field: string): void {
  if (bytes <= MAX_FILE) return
  const message = `${JSON.stringify(filename)} has ${megabytes(bytes)}; a file may have ${megabytes(MAX_FILE)}`
  throw new TooLarge(`${field}: ${message}.`, {
    fix: 'Send a smaller file, or a link to it.',
    details: [{ field, message }],
  })
}

function sameContentIds(items: readonly Item[]): Detail[] {
  const seen = new Set<string>()
  return items.flatMap((item) => {
    const id = item.kind === 'file' ? item.file.contentId : item.contentId
    if (id === null || (!seen.has(id) && seen.add(id))) return []
    return [{ field: `${item.field}.content_id`, message: `${id} is given twice` }]
  })
}
