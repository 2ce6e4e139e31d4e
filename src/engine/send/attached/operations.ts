// Files for mail: kept until they are sent, and read again out of mail that came or went.
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { newId } from '../../../platform/ids.ts'
import { NotFound, ValidationFailed } from '../../errors.ts'
import { resolveInbox } from '../../inboxes/find.ts'
import { operation } from '../../operation.ts'
import type { Engine } from '../../ports.ts'
import { cleanFilename, contentTypeOf } from './file.ts'
import { requireSize } from './given.ts'
import { bytesOf, findKept } from './kept.ts'

const Upload = z.object({
  id: z.string(),
  inbox_id: z.string(),
  filename: z.string(),
  content_type: z.string(),
  size: z.number(),
  created_at: z.string(),
})

/**
 * Keeps a file of at most 10 MB, to be named as `attachment_id` in one or more mails; it resolves once bytes and row
 * survive a power cut. Throws ValidationFailed, TooLarge, NotFound.
 */
export const uploadAttachment = operation({
  name: 'upload_attachment',
  summary: 'Upload a file, to be attached to mail by its id.',
  scope: 'email:send',
  reads: false,
  input: z.strictObject({
    inbox_id: z.string(),
    filename: z.string().max(1_000),
    content_type: z.string().max(200).optional(),
    bytes: z.instanceof(Uint8Array),
  }),
  output: Upload,
  async run(engine, caller, input) {
    const { org_id, id: inbox_id } = await resolveInbox(engine, caller, input.inbox_id)
    const { filename, content_type } = describe(input)
    requireSize(input.bytes.length, filename, 'file')
    const now = engine.clock.now()
    const sha256 = createHash('sha256').update(input.bytes).digest('hex')
    const upload = { id: newId('att', now), inbox_id, filename, content_type }
    const row = { org_id, ...upload, size: input.bytes.length, sha256, created_at: now }
    await engine.blobs.put(org_id, sha256, input.bytes)
    await insert(engine, row)
    // The last other use of the bytes may have been deleted before our row was there.
    if (!(await engine.blobs.has(org_id, sha256))) {
      await engine.blobs.put(org_id, sha256, input.bytes)
    }
    return { ...upload, size: row.size, created_at: now.toISOString() }
  },
})

interface Given {
  filename: string
  content_type?: string | undefined
}

function describe({ filename, content_type }: Given) {
  const name = cleanFilename(filename)
  if (name === undefined) throw new ValidationFailed([{ field: 'file', message: 'has no name' }])
  const type = contentTypeOf(content_type, name)
  if (type !== undefined) return { filename: name, content_type: type }
  const message = 'names no type like application/pdf in its Content-Type'
  throw new ValidationFailed([{ field: 'file', message }])
}

/** Nothing where the inbox was deleted meanwhile: nobody would erase it. */
async function insert({ db }: Pick<Engine, 'db'>, row: { inbox_id: string }): Promise<void> {
  const made = await db.query(
    `INSERT INTO uploads SELECT u.* FROM jsonb_populate_record(NULL::uploads, $1) AS u
     JOIN inboxes i ON i.org_id = u.org_id AND i.id = u.inbox_id AND i.deleted_at IS NULL
     FOR SHARE OF i RETURNING id`,
    [JSON.stringify(row)],
    'insert_upload',
  )
  if (made.length === 0) throw new NotFound('inbox', row.inbox_id)
}

/**
 * The bytes of an upload, or of an attachment of mail that came or went. Throws NotFound; ValidationFailed where it
 * belongs to another inbox than the one named.
 */
export const getAttachment = operation({
  name: 'get_attachment',
  summary: 'The bytes of an attachment.',
  scope: 'email:read',
  reads: true,
  input: z.strictObject({ inbox_id: z.string().optional(), attachment_id: z.string() }),
  output: z.object({
    filename: z.string(),
    content_type: z.string(),
    bytes: z.custom<Uint8Array>((value) => value instanceof Uint8Array),
  }),
  async run(engine, caller, { inbox_id, attachment_id }) {
    if (attachment_id.startsWith('doc_')) throw new NotFound('attachment', attachment_id)
    const inbox = inbox_id === undefined ? undefined : await resolveInbox(engine, caller, inbox_id)
    const found = await findKept(engine, caller, attachment_id)
    if (inbox !== undefined && inbox.id !== found.inbox_id) {
      const message = `this attachment belongs to the inbox ${found.inbox_id}`
      throw new ValidationFailed([{ field: 'attachment_id', message }])
    }
    const bytes = await bytesOf(engine, caller.orgId, found)
    return { filename: found.filename, content_type: found.content_type, bytes }
  },
})
