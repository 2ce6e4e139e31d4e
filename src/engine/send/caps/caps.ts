// How much may be sent: caps for agents by the setting, for other keys by the organization.
import type { Caller } from '../../caller.ts'
import type { InboxId, OrgId, ThreadId } from '../../ids.ts'
import type { Conditions } from '../../messages/store.ts'
import { NOT_GONE } from '../../messages/waiting.ts'
import type { Engine } from '../../ports.ts'
import { type Caps, readCaps } from '../../send-caps.ts'
import type { Finding } from '../verdict.ts'
import { DAY_MS, MINUTE_MS, overCaps, type Sends } from './judge.ts'

type Parts = Pick<Engine, 'db' | 'settings'>
type Counter = Conditions['counters'][number]

export interface Sending {
  caller: Caller
  inboxId: InboxId
  /** The thread that the mail continues. */
  threadId: ThreadId | undefined
  /** In the notation of AGENT_CAPS; null: none. */
  organizationCaps: string | null
  /** Recipients that are neither ours nor known in the thread, in lower case. */
  strangers: readonly string[]
  now: Date
}

/**
 * What the caps have against a mail, and the counters that count it in when it is stored: there they hold also
 * against others that are decided at the same moment.
 */
export async function capped(
  parts: Parts,
  sending: Sending,
): Promise<{ findings: Finding[]; counters: Counter[] }> {
  const { caller, organizationCaps, now } = sending
  const text = caller.agent ? parts.settings.agentCaps : organizationCaps
  const caps = readCaps(text ?? 'none')
  if (caps === undefined) throw new Error(`unreadable caps: ${text}`)
  if (Object.keys(caps).length === 0) return { findings: [], counters: [] }
  const fresh = caps.newPerDay === undefined ? [] : await firstTime(parts, sending)
  const counters = countersOf(sending, caps, fresh.length)
  const sends = await sendsOf(parts, sending, caps)
  const setting = caller.agent ? 'AGENT_CAPS' : "the organization's send_caps"
  return { findings: overCaps(sends, { caps, setting, fresh, now }), counters }
}

/** Those whom nobody of the organization has written to before, and who did not write first in the thread. */
async function firstTime(
  { db }: Parts,
  { caller, threadId, strangers }: Sending,
): Promise<string[]> {
  if (strangers.length === 0) return []
  const known = await db.query<{ email: string }>(
    `SELECT e.email FROM unnest($2::text[]) AS e (email)
     WHERE EXISTS (
       SELECT 1 FROM recipients r JOIN messages m ON m.org_id = r.org_id AND m.id = r.message_id
       WHERE r.org_id = $1 AND lower(r.email) = e.email AND m.status <> ALL($3))
     OR EXISTS (
       SELECT 1 FROM messages m WHERE m.org_id = $1 AND m.thread_id = $4
         AND m.direction = 'inbound' AND lower(m."from" ->> 'email') = e.email)`,
    [caller.orgId, strangers, NOT_GONE, threadId ?? null],
    'written_to_before',
  )
  const before = new Set(known.map(({ email }) => email))
  return strangers.filter((email) => !before.has(email))
}

/** Agents have counters of their own, whatever else their key does. */
const who = ({ keyId, agent }: Caller) => `${keyId ?? 'none'}${agent ? ' agent' : ''}`

function names({ caller, inboxId }: Sending) {
  return {
    minute: `minute ${who(caller)}`,
    day: `day ${inboxId}${caller.agent ? ' agent' : ''}`,
    fresh: `new ${who(caller)}`,
  }
}

const startOf = (now: Date, span: number) => new Date(now.getTime() - (now.getTime() % span))

function countersOf(sending: Sending, { perMinute, perDay, newPerDay }: Caps, fresh: number) {
  const { caller, now } = sending
  const { minute, day, fresh: anew } = names(sending)
  const count = (counter: string, span: number, added: number, most: number | undefined) =>
    most === undefined || added === 0
      ? []
      : [{ org_id: caller.orgId as OrgId, counter, starts_at: startOf(now, span), added, most }]
  return [
    ...count(minute, MINUTE_MS, 1, perMinute),
    ...count(day, DAY_MS, 1, perDay),
    ...count(anew, DAY_MS, fresh, newPerDay),
  ]
}

async function sendsOf({ db }: Parts, sending: Sending, { perMinute = 0 }: Caps): Promise<Sends> {
  const { caller, now } = sending
  const { minute, day, fresh } = names(sending)
  const counted = db.query<{ counter: string; count: number }>(
    `SELECT counter, count FROM send_counters
     WHERE org_id = $1 AND (counter, starts_at) IN (($2, $3), ($4, $5), ($6, $5))`,
    [caller.orgId, minute, startOf(now, MINUTE_MS), day, startOf(now, DAY_MS), fresh],
    'send_counters',
  )
  const lately = db.query<{ created_at: Date }>(
    `SELECT created_at FROM messages
     WHERE org_id = $1 AND direction = 'outbound' AND key_id IS NOT DISTINCT FROM $2
       AND by_agent = $3 AND created_at > $4
     ORDER BY created_at DESC LIMIT $5`,
    [caller.orgId, caller.keyId, caller.agent, new Date(now.getTime() - MINUTE_MS), perMinute],
    'sent_lately',
  )
  const [rows, sent] = await Promise.all([counted, lately])
  const of = (counter: string) => rows.find((row) => row.counter === counter)?.count ?? 0
  return {
    lastMinute: sent.map(({ created_at }) => created_at).reverse(),
    thisMinute: of(minute),
    today: of(day),
    newToday: of(fresh),
  }
}

/** Removes counters of days that are over; nothing asks for them again. */
export async function forgetCounters({ db, clock }: Pick<Engine, 'db' | 'clock'>): Promise<void> {
  await db.quiet()
  await db.query('DELETE FROM send_counters WHERE starts_at < $1', [
    new Date(clock.now().getTime() - 2 * DAY_MS),
  ])
}
