// postroom import: the mails of a mailbox file, into an inbox.
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { findAddresses, resolveInbox } from '../../engine/inboxes/find.ts'
import { importMbox } from '../../engine/receive/mbox/import.ts'
import { NotAnMbox } from '../../engine/receive/mbox/split.ts'
import { type CommandContext, UsageError } from './command.ts'
import { startProgress } from './progress.ts'

const CHUNK_BYTES = 1024 * 1024

export async function runImport(context: CommandContext): Promise<number> {
  const { file, inbox: ref, webhooks } = readWish(context)
  const size = await sizeOf(file)
  const engine = await context.engine()
  const { address } = await resolveInbox(engine, await context.operator(), ref)
  const [inbox] = await findAddresses(engine, [address])
  if (inbox === undefined) throw new UsageError(`${address} takes no mail.`)
  const receiver = await context.receiver()
  const progress = startProgress(context, 'mails')
  const source = createReadStream(file, { highWaterMark: CHUNK_BYTES })
  const counts = await importMbox({ ...engine, receiver }, inbox, source, {
    isNews: webhooks,
    signal: context.signal,
    onProgress: ({ imported, known }) =>
      progress.at(source.bytesRead / Math.max(1, size), imported + known),
  }).catch(asUsage(file))
  const { imported, known, tooLarge } = counts
  const took = progress.end(imported + known)
  context.out(`${took}: ${imported} imported into ${address}, ${known} were there already.\n`)
  if (tooLarge > 0) context.err(`${tooLarge} above 150 MiB were passed over.\n`)
  return tooLarge > 0 ? 1 : 0
}

function readWish({ argv, cwd }: CommandContext) {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { inbox: { type: 'string' }, webhooks: { type: 'boolean', default: false } },
    })
    const [file, ...rest] = positionals
    if (file === undefined || rest.length > 0) throw new Error('Name one mbox file.')
    if (values.inbox === undefined) throw new Error('--inbox is missing: an id or an address.')
    return { file: resolve(cwd, file), inbox: values.inbox, webhooks: values.webhooks }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new UsageError(`${reason} Use: import FILE.mbox --inbox ID [--webhooks]`)
  }
}

async function sizeOf(file: string): Promise<number> {
  const found = await stat(file).catch((error: Error) => {
    throw new UsageError(`${file} cannot be read: ${error.message}`)
  })
  if (found.isFile()) return found.size
  throw new UsageError(
    `${file} is no file. A Maildir or a folder of mails must become an mbox first.`,
  )
}

const asUsage =
  (file: string) =>
  (error: unknown): never => {
    if (error instanceof NotAnMbox) throw new UsageError(`${file} is no mbox: ${error.message}.`)
    throw error
  }
