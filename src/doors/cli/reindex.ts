// postroom reindex: the database again, from the raw mail.
import { type ReindexCounts, reindex } from '../../engine/receive/rebuild/reindex.ts'
import { type CommandContext, UsageError } from './command.ts'
import { startProgress } from './progress.ts'

/** So many are named; the rest is a number. */
const NAMED = 10

export async function runReindex(context: CommandContext): Promise<number> {
  if (context.argv.length > 0) throw new UsageError('Use: reindex')
  const progress = startProgress(context, 'mails')
  const counts = await reindex(await context.engine(), {
    signal: context.signal,
    onProgress: (done, total) => progress.at(done / Math.max(1, total), done),
  })
  const took = progress.end(counts.rebuilt + counts.present)
  context.out(`${took}: ${counts.rebuilt} rebuilt, ${counts.present} were there already.\n`)
  for (const line of remarks(counts)) context.out(`${line}\n`)
  return counts.unreadable.length > 0 ? 1 : 0
}

function remarks(counts: ReindexCounts): string[] {
  const { organizations, inboxes, withoutAddress, unreadable, deleted, repeated } = counts
  return [
    ...(organizations.length > 0
      ? [`Organizations that came back: ${organizations.join(', ')}.`]
      : []),
    ...(inboxes.length > 0 ? [`Inboxes that came back: ${inboxes.join(', ')}.`] : []),
    ...(withoutAddress.length > 0
      ? [
          `Switched off, since their address is another inbox's by now: ${withoutAddress.join(', ')}.`,
        ]
      : []),
    ...(deleted > 0 ? [`Of deleted inboxes, and removed: ${deleted} mails.`] : []),
    ...(repeated > 0 ? [`Kept twice, delivered once: ${repeated} mails.`] : []),
    ...(unreadable.length > 0
      ? [
          `Could not be rebuilt, since sidecar or bytes are damaged or gone: ${unreadable.length} mails (${unreadable.slice(0, NAMED).join(', ')}${unreadable.length > NAMED ? ', …' : ''}).`,
        ]
      : []),
    ...(organizations.length > 0 ? [whatIsLost(counts)] : []),
  ]
}

const whatIsLost = ({ tookPlace }: ReindexCounts) =>
  `API keys, people, labels, drafts, documents, webhooks and the settings of inboxes are in no mail and did not come back. ${
    tookPlace
      ? 'The keys of the last start open what came back.'
      : 'The next start makes and shows a key where the first organization has none.'
  }`
