// Mail that waited, for an hour or for a person, goes on: once, whoever asks and however often.
import type { JobRow } from '../../jobs/job.ts'
import type { MessageRow, MessageStatus } from '../../messages/message.ts'
import { newsOf } from '../../messages/news.ts'
import { withThreadNews } from '../../messages/store.ts'
import type { Engine } from '../../ports.ts'

export interface Going {
  /** As it was read, still waiting. */
  row: MessageRow
  status: Extract<MessageStatus, 'queued' | 'scheduled'>
  /** What does the rest: the deliveries, or the release at its hour. */
  jobs: readonly JobRow[]
}

/**
 * Changes the status, enqueues the jobs and tells the thread, in one statement; the worker is to be woken afterwards.
 * False: it does not wait any more, or for another hour than `row` says, and nothing was done.
 */
export async function letGo({ db }: Pick<Engine, 'db'>, going: Going): Promise<boolean> {
  const [done] = await db.query<{ gone: boolean }>(
    'SELECT let_go($1) AS gone',
    [JSON.stringify(changeOf(going))],
    'let_go',
  )
  return done?.gone ?? false
}

/** What `let_go` takes. */
export function changeOf({ row, status, jobs }: Going) {
  const [news] = newsOf([withThreadNews({ ...row, status })])
  return {
    org_id: row.org_id,
    id: row.id,
    was: row.status,
    send_at: row.send_at,
    status,
    jobs,
    // It was counted when it was stored.
    news: { ...news, added: 0 },
  }
}
