// postroom reprocess: kept mail, read again with the present code.
import { parseArgs } from 'node:util'
import { type ReprocessCounts, reprocess } from '../../engine/receive/rebuild/reprocess.ts'
import { type CommandContext, UsageError } from './command.ts'
import { startProgress } from './progress.ts'
import { table } from './table.ts'

/** So much of a value is shown in an example. */
const SHOWN = 70

export async function runReprocess(context: CommandContext): Promise<number> {
  const dryRun = readWish(context.argv)
  const progress = startProgress(context, 'mails')
  const counts = await reprocess(await context.engine(), {
    dryRun,
    signal: context.signal,
    onProgress: (done, total) => progress.at(done / Math.max(1, total), done),
  })
  const took = progress.end(counts.read)
  const did = dryRun ? 'would change' : 'changed'
  context.out(`${took}: ${counts.changed} ${did}.\n${details(counts)}`)
  if (counts.unreadable > 0) {
    context.err(`${counts.unreadable} have no bytes or sidecar any more and stay as they are.\n`)
  }
  return 0
}

function readWish(argv: readonly string[]): boolean {
  try {
    const options = { 'dry-run': { type: 'boolean', default: false } } as const
    return parseArgs({ args: [...argv], options }).values['dry-run']
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new UsageError(`${reason} Use: reprocess [--dry-run]`)
  }
}

function details({ fields, examples }: ReprocessCounts): string {
  if (fields.size === 0) return ''
  const rows = [...fields].sort(([, a], [, b]) => b - a)
  const shown = examples.map(
    ({ id, field, before, after }) => `${id} ${field}\n  - ${cut(before)}\n  + ${cut(after)}\n`,
  )
  return `\n${table(
    ['field', 'mails'],
    rows.map(([field, count]) => [field, String(count)]),
  )}\n${shown.join('')}`
}

const cut = (text: string) => (text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text)
