// What a log promises and may be no file yet, in this process or another one: read from the log.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { LOG, type LogRecord, recordsIn } from './records.js'
import { LOGS } from './writer.ts'

/**
 * The bytes of a file that a log of `root` promises: the newest record counts, whichever log it is in. Rejects with
 * ENOENT where none does, or where it shall be no more.
 */
export async function promised(root: string, path: string): Promise<Buffer> {
  let found: LogRecord | undefined
  const names = await readdir(join(root, LOGS)).catch(() => [])
  for (const name of names.filter((one) => LOG.test(one))) {
    // A log goes when all of its files are made.
    const log = await readFile(join(root, LOGS, name)).catch(() => Buffer.alloc(0))
    for (const record of recordsIn(log)) {
      if (record.path === path && record.at >= (found?.at ?? 0)) found = record
    }
  }
  if (found && found.bytes !== null) return found.bytes
  throw Object.assign(new Error(`${path} is neither a file nor in a log`), { code: 'ENOENT' })
}
