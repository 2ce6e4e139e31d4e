// Two machines that answer each other never stop by themselves: how often agents may write in one thread. RFC 3834 §2.
import type { Caller } from '../caller.ts'
import type { MessageId, ThreadId } from '../ids.ts'
import type { Conditions } from '../messages/store.ts'
import { NOT_GONE } from '../messages/waiting.ts'
import type { Engine } from '../ports.ts'
import type { Finding } from './verdict.ts'

/** Sends by agents in a thread within an hour; `agent_sends` lists as many. */
const MOST_AN_HOUR = 10
/** Sends by agents in a thread while nobody else has written there. */
const MOST_IN_A_ROW = 3
const HOUR_MS = 3_600_000
const HOUR_SECONDS = 3600

interface Send {
  id: MessageId
  created_at: Date
  /** Nobody but agents and machines has written since. */
  unanswered: boolean
}

/**
 * What the loop guard has against one more send of an agent in a thread. Automatic mail and bounces answer nothing.
 * `counted`, as a condition, makes sure that each send has seen those before it, also those that wait.
 */
export async function looping(
  { db }: Pick<Engine, 'db'>,
  { caller, threadId, now }: { caller: Caller; threadId: ThreadId | undefined; now: Date },
): Promise<{ findings: Finding[]; counted: Conditions['agent_sends'] }> {
  if (!caller.agent || threadId === undefined) return { findings: [], counted: [] }
  const sends = await sendsIn({ db }, caller, threadId)
  const known = sends.map(({ id }) => id)
  return {
    findings: overdone(sends, now),
    counted: [{ org_id: caller.orgId, thread_id: threadId, known }],
  }
}

/** The newest sends of agents, newest first. Mail that was rejected or called off does not count; mail that waits does. */
function sendsIn({ db }: Pick<Engine, 'db'>, { orgId }: Caller, threadId: ThreadId) {
  return db.query<Send>(
    `WITH other AS (
       SELECT created_at, id FROM messages
       WHERE org_id = $1 AND thread_id = $2
         AND (direction = 'inbound' AND auto_reply IS NULL
           OR direction = 'outbound' AND NOT by_agent AND status <> ALL($3))
       ORDER BY created_at DESC, id DESC LIMIT 1
     )
     SELECT s.id, s.created_at,
       other.id IS NULL OR (s.created_at, s.id) > (other.created_at, other.id) AS unanswered
     FROM agent_sends($1, $2) AS s LEFT JOIN other ON true
     ORDER BY s.created_at DESC, s.id DESC`,
    [orgId, threadId, NOT_GONE],
    'sends_in_thread',
  )
}

/** @param sends the newest ones, newest first, at least as many as an hour may have */
export function overdone(sends: readonly Omit<Send, 'id'>[], now: Date): Finding[] {
  const findings: Finding[] = []
  const inARow = sends.filter(({ unanswered }) => unanswered).length
  if (inARow >= MOST_IN_A_ROW) {
    findings.push(
      found(
        `Agents have written ${inARow} times in this thread, and nobody has answered since; ${MOST_IN_A_ROW} in a row is the most.`,
        HOUR_SECONDS,
        'Wait until somebody answers, or tell your user: a person can write there.',
      ),
    )
  }
  const oldest = sends[MOST_AN_HOUR - 1]
  const free = oldest === undefined ? 0 : oldest.created_at.getTime() + HOUR_MS - now.getTime()
  if (free > 0) {
    const seconds = Math.ceil(free / 1000)
    findings.push(
      found(
        `Agents have written ${MOST_AN_HOUR} times in this thread within an hour, which is the most.`,
        seconds,
        `Try again in ${seconds} s, or tell your user: a person can write there.`,
      ),
    )
  }
  return findings
}

const found = (message: string, retry_after_seconds: number, fix: string): Finding => ({
  effect: 'deny',
  reason: { code: 'loop', message, fix, retry_after_seconds },
})
