// postroom export: an inbox as a mailbox file.
import { type FileHandle, open } from 'node:fs/promises'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { resolveInbox } from '../../engine/inboxes/find.ts'
import { exportMbox } from '../../engine/receive/mbox/export.ts'
import { type CommandContext, UsageError } from './command.ts'
import { startProgress } from './progress.ts'

const OWNER_ONLY = 0o600

export async function runExport(context: CommandContext): Promise<number> {
  const { inbox: ref, out } = readWish(context)
  const engine = await context.engine()
  const inbox = await resolveInbox(engine, await context.operator(), ref)
  const file = out === undefined ? undefined : await create(out)
  const progress = startProgress(context, 'mails')
  let written = 0
  try {
    for await (const { bytes, count, total } of exportMbox(engine, inbox)) {
      if (context.signal.aborted) return 1
      await (file === undefined ? context.bytes(bytes) : file.appendFile(bytes))
      written = count
      progress.at(count / Math.max(1, total), count)
    }
    await file?.sync()
  } finally {
    await file?.close()
  }
  context.err(`${progress.end(written)} of ${inbox.address}${out ? ` into ${out}` : ''}.\n`)
  return 0
}

function readWish({ argv, cwd }: CommandContext) {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: { inbox: { type: 'string' }, out: { type: 'string' } },
    })
    if (values.inbox === undefined) throw new Error('--inbox is missing: an id or an address.')
    return {
      inbox: values.inbox,
      out: values.out === undefined ? undefined : resolve(cwd, values.out),
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new UsageError(`${reason} Use: export --inbox ID [--out FILE]`)
  }
}

/** Mail is private; and what is there already is not written over. */
function create(path: string): Promise<FileHandle> {
  return open(path, 'wx', OWNER_ONLY).catch((error: Error) => {
    throw new UsageError(`${path} cannot be made: ${error.message}`)
  })
}
