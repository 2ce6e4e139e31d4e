// Files that are kept here, by id: what was uploaded, what hangs on a mail, documents of the knowledge base.
import libmime from 'libmime'
import { type Caller, hasScope, requireScope, seesInbox } from '../../caller.ts'
import { findDocument } from '../../documents/document.ts'
import { NotFound } from '../../errors.ts'
import type { AttachmentId, InboxId, OrgId } from '../../ids.ts'
import type { Engine } from '../../ports.ts'
import { cleanFilename, contentTypeOf, nameFor, UNKNOWN_TYPE } from './file.ts'

type Parts = Pick<Engine, 'db' | 'blobs' | 'mails'>

export interface KeptFile {
  inbox_id: InboxId
  filename: string
  content_type: string
  /** Bytes, as far as it is known without reading them. */
  size: number
  /** The blob that holds it. */
  sha256: string
  /** Which attachment of the mail it is; null: the blob is the file. */
  position: number | null
}

/**
 * The file with an `att_` or a `doc_` id. Throws NotFound, and Forbidden for a key that may send but not read:
 * what it cannot look at it cannot send to itself either.
 */
export async function findKept(parts: Parts, caller: Caller, id: string): Promise<KeptFile> {
  if (id.startsWith('doc_')) return documentFile(parts, caller, id)
  const found = (await uploaded(parts, caller, id)) ?? (await ofMail(parts, caller, id))
  if (found === undefined || !seesInbox(caller, found.inbox_id))
    throw new NotFound('attachment', id)
  if (found.position !== null && !hasScope(caller, 'email:read')) requireScope(caller, 'email:read')
  return found
}

/** Its bytes. Throws where reading them out of the mail takes too long. */
export async function bytesOf(
  { blobs, mails }: Pick<Engine, 'blobs' | 'mails'>,
  orgId: OrgId,
  { sha256, position }: Pick<KeptFile, 'sha256' | 'position'>,
): Promise<Buffer> {
  const blob = await blobs.get(orgId, sha256)
  if (position === null) return blob
  const found = await mails.readAttachment(blob, position)
  if (found === undefined) throw new Error(`the mail ${sha256} has no attachment ${position}`)
  return found.bytes
}

async function uploaded({ db }: Parts, { orgId }: Caller, id: string) {
  const [row] = await db.query<Omit<KeptFile, 'position'>>(
    `SELECT u.inbox_id, u.filename, u.content_type, u.size, u.sha256
     FROM uploads u JOIN inboxes i ON i.org_id = u.org_id AND i.id = u.inbox_id
     WHERE u.org_id = $1 AND u.id = $2 AND i.deleted_at IS NULL`,
    [orgId, id],
    'find_upload',
  )
  return row && { ...row, position: null }
}

interface AttachmentOfMail extends Omit<KeptFile, 'filename' | 'position'> {
  id: AttachmentId
  filename: string | null
  position: number
}

async function ofMail({ db }: Parts, { orgId }: Caller, id: string) {
  const [row] = await db.query<AttachmentOfMail>(
    `${OF_MAIL} WHERE a.org_id = $1 AND a.id = $2 AND i.deleted_at IS NULL`,
    [orgId, id],
    'find_attachment',
  )
  return row && named(row)
}

/** Everything that hangs on a mail, in its order. */
export async function filesOfMessage(
  { db }: Pick<Engine, 'db'>,
  { org_id, id }: { org_id: OrgId; id: string },
): Promise<KeptFile[]> {
  const rows = await db.query<AttachmentOfMail>(
    `${OF_MAIL} WHERE a.org_id = $1 AND a.message_id = $2 ORDER BY a.position`,
    [org_id, id],
    'attachments_of_message',
  )
  return rows.map(named)
}

const OF_MAIL = `
  SELECT a.id, a.inbox_id, a.filename, a.content_type, a.size, a.position, m.raw_sha256 AS sha256
  FROM attachments a
  JOIN messages m ON m.org_id = a.org_id AND m.id = a.message_id
  JOIN inboxes i ON i.org_id = a.org_id AND i.id = a.inbox_id`

/** What a stranger's mail says of it is put in order. */
function named({ filename, content_type, ...row }: AttachmentOfMail): KeptFile {
  const name = cleanFilename(filename ?? '') ?? nameFor(content_type, row.position)
  return { ...row, filename: name, content_type: contentTypeOf(content_type, name) ?? UNKNOWN_TYPE }
}

/** Its name is for people; the ending tells the recipient's programs what it is. */
async function documentFile(parts: Parts, caller: Caller, id: string): Promise<KeptFile> {
  requireScope(caller, 'inbox:read')
  const { name, ...row } = await findDocument(parts, caller, { document_id: id })
  const filename = cleanFilename(name) ?? id
  const ending = ENDINGS[row.content_type] ?? libmime.detectExtension(row.content_type)
  const complete = /\.[a-z0-9]{1,8}$/i.test(filename) || !ending
  return { ...row, filename: complete ? filename : `${filename}.${ending}`, position: null }
}

const ENDINGS: Record<string, string> = { 'text/markdown': 'md', 'text/plain': 'txt' }
