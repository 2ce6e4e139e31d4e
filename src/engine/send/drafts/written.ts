// What a draft holds of a request, and what a change makes of it.
import { z } from 'zod'
import type { Caller } from '../../caller.ts'
import { ValidationFailed } from '../../errors.ts'
import type { InboxId } from '../../ids.ts'
import type { Engine } from '../../ports.ts'
import { type AttachmentInput, readAttachments } from '../attached/given.ts'
import { uploadAttachment } from '../attached/operations.ts'
import { type MessageInput, messageInput } from '../written.ts'
import type { DraftMail } from './draft.ts'

export const draftInput = messageInput.extend({ send_at: z.string().optional() })

/** Fields that may change: not what it answers or hands on. */
export const draftChanges = draftInput.omit({
  inbox_id: true,
  thread_id: true,
  reply_to_message_id: true,
  forward_message_id: true,
})
export type DraftChanges = z.output<typeof draftChanges>

/** The draft with the fields given; an empty text or list empties a field. */
export function changed(draft: DraftMail, changes: DraftChanges): DraftMail & MessageInput {
  const given = Object.entries(changes).filter(([, value]) => value !== undefined)
  const { attachments, attachment_ids } = changes
  const files = attachments !== undefined || attachment_ids !== undefined
  const all = { ...draft, ...(files && { attachments: undefined }), ...Object.fromEntries(given) }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => !isEmpty(value))) as DraftMail
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === '') return true
  if (typeof value !== 'object' || value === null) return false
  return Object.values(value).every((item) => Array.isArray(value) && item === '')
}

/** Files of a draft are kept as uploads, so that the draft itself stays small. Throws ValidationFailed, TooLarge. */
export async function withUploads(
  engine: Engine,
  caller: Caller,
  inbox_id: InboxId,
  { attachments, attachment_ids, ...mail }: DraftMail & MessageInput,
): Promise<DraftMail> {
  const { items, problems } = readAttachments({ attachments, attachment_ids })
  if (problems.length > 0) throw new ValidationFailed(problems)
  const kept: AttachmentInput[] = []
  for (const item of items) {
    const { filename, contentId } = item.kind === 'file' ? item.file : item
    const id =
      item.kind === 'kept' ? item.id : await upload(engine, caller, { inbox_id, ...item.file })
    const named = item.kind === 'kept' && filename !== undefined
    kept.push({
      attachment_id: id,
      ...(named && { filename }),
      ...(contentId !== null && { content_id: contentId }),
    })
  }
  return { ...mail, ...(kept.length > 0 && { attachments: kept }) }
}

interface File {
  inbox_id: InboxId
  filename: string
  contentType: string
  bytes: Uint8Array
}

async function upload(engine: Engine, caller: Caller, { contentType, ...file }: File) {
  const { inbox_id, filename, bytes } = file
  const content_type = contentType
  const { id } = await uploadAttachment.run(engine, caller, {
    inbox_id,
    filename,
    content_type,
    bytes: new Uint8Array(bytes),
  })
  return id
}
