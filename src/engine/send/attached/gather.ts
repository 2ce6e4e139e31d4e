// The files of a mail with their bytes, each within its limit and all together within the mail's.
import type { Caller } from '../../caller.ts'
import { NotFound, TooLarge } from '../../errors.ts'
import type { MessageRow } from '../../messages/message.ts'
import type { Engine } from '../../ports.ts'
import { type AttachedFile, MAX_MAIL, MAX_WIRE, megabytes } from './file.ts'
import { type Item, requireSize } from './given.ts'
import { bytesOf, filesOfMessage, findKept, type KeptFile } from './kept.ts'

type Parts = Pick<Engine, 'db' | 'blobs' | 'mails'>

/** A file whose size is known before its bytes are read. */
interface Planned {
  bytes: number
  load(): Promise<AttachedFile>
}

interface Wanted {
  items: readonly Item[]
  /** The mail that is handed on with everything that hangs on it. */
  forwarded: MessageRow | undefined
  /** Bytes of the bodies. */
  bodies: number
}

/** In the order of the request, then those of the forwarded mail. Throws TooLarge, NotFound and Forbidden, naming the field. */
export async function gatherFiles(
  parts: Parts,
  caller: Caller,
  { items, forwarded, bodies }: Wanted,
): Promise<AttachedFile[]> {
  const planned: Planned[] = []
  for (const item of items) planned.push(await planOf(parts, caller, item))
  const handedOn = forwarded === undefined ? [] : await filesOfMessage(parts, forwarded)
  planned.push(...handedOn.map((file) => ofKept(parts, caller, file, null)))
  requireRoom(sumOf(planned.map(({ bytes }) => bytes)), bodies)
  const files: AttachedFile[] = []
  for (const { load } of planned) files.push(await load())
  requireRoom(sumOf(files.map(({ bytes }) => bytes.length)), bodies)
  return files
}

const sumOf = (sizes: readonly number[]) => sizes.reduce((sum, size) => sum + size, 0)

async function planOf(parts: Parts, caller: Caller, item: Item): Promise<Planned> {
  if (item.kind === 'file') {
    return { bytes: item.file.bytes.length, load: () => Promise.resolve(item.file) }
  }
  const { id, field, contentId } = item
  const found = await findKept(parts, caller, id).catch((error: unknown) => {
    if (!(error instanceof NotFound)) throw error
    const message = `there is no attachment or document ${id.slice(0, 60)} that this key can see`
    throw new NotFound('attachment', id, { details: [{ field, message }] })
  })
  const filename = item.filename ?? found.filename
  requireSize(found.size, filename, field)
  return ofKept(parts, caller, { ...found, filename }, contentId)
}

function ofKept(
  parts: Parts,
  { orgId }: Caller,
  file: KeptFile,
  contentId: string | null,
): Planned {
  const { filename, content_type: contentType } = file
  const load = async () => {
    return { filename, contentType, contentId, bytes: await bytesOf(parts, orgId, file) }
  }
  return { bytes: file.size, load }
}

function requireRoom(files: number, bodies: number): void {
  if (files + bodies <= MAX_MAIL) return
  throw files === 0 ? tooLong(bodies) : tooMuch(files + bodies)
}

/** A text that its encoding makes three times as long passes every other limit. Throws TooLarge. */
export function requireWireRoom(bytes: number): void {
  if (bytes > MAX_WIRE) throw tooLong(bytes)
}

const tooLong = (bytes: number) => {
  const message = `the mail has ${megabytes(bytes)}; a mail may have ${megabytes(MAX_MAIL)}`
  return new TooLarge(`text_body: ${message}.`, {
    fix: 'Shorten text_body or html_body.',
    details: [{ field: 'text_body', message }],
  })
}

const tooMuch = (bytes: number) => {
  const message = `bodies and attachments have ${megabytes(bytes)} together; a mail may have ${megabytes(MAX_MAIL)}`
  return new TooLarge(`attachments: ${message}.`, {
    fix: 'Send fewer or smaller attachments, a shorter text, or links.',
    details: [{ field: 'attachments', message }],
  })
}
