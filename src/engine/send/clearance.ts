// Whether this mail may go to these people: looks up what the guards have to know, and says what came out, with every reason.

import { domainOf } from '../addresses.ts'
import type { Caller } from '../caller.ts'
import { unusableDomain } from '../domains/usable.ts'
import type { InboxId, OrgId, ThreadId } from '../ids.ts'
import { findAddresses, withoutTag } from '../inboxes/find.ts'
import type { InboxRow } from '../inboxes/inbox.ts'
import { type Conditions, noConditions } from '../messages/store.ts'
import type { Engine } from '../ports.ts'
import { capped } from './caps/caps.ts'
import { leaksIn, type Said } from './leak/guard.ts'
import { looping } from './loop.ts'
import { type Envelope, objectionsTo } from './policy.ts'
import { provenIn } from './proven.ts'
import { type Finding, type Reason, type Verdict, verdictOf } from './verdict.ts'
import { inWords } from './words.ts'

type Parts = Pick<Engine, 'db' | 'clock' | 'settings'>

/** Who writes to whom. */
interface Addressed {
  caller: Pick<Caller, 'agent'>
  inbox: Pick<InboxRow, 'id' | 'org_id' | 'address' | 'send_policy'>
  /** The thread that the mail continues; undefined where it begins one. */
  threadId: ThreadId | undefined
  /** Every recipient of the final envelope. */
  emails: readonly string[]
}

export interface Asked extends Addressed {
  caller: Caller
  inbox: InboxRow
  content: Content
}

/** What the mail says, as it will leave: the leak guard reads all of it. `headers`: fields that the caller gave, names of the people. */
export type Content = Said

export interface Clearance {
  /** True where at least one recipient is no inbox of this server. */
  outside: boolean
  verdict: Verdict
  /** What must still be so when the mail is stored: the caps count it in there, the loop guard has seen every mail. */
  conditions: Conditions
}

/** Says whether the mail may go, must wait for a person, or does not go. Throws nothing for what it finds. */
export async function clear(engine: Parts, asked: Asked): Promise<Clearance> {
  const { caller, inbox, threadId, emails, content } = asked
  const now = engine.clock.now()
  const [on, rules, loop] = await Promise.all([
    onEnvelope(engine, asked),
    rulesOf(engine, inbox.org_id),
    looping(engine, { caller, threadId, now }),
  ])
  const caps = await capped(engine, {
    caller,
    inboxId: inbox.id,
    threadId,
    organizationCaps: rules.send_caps,
    strangers: on.strangers,
    now,
  })
  const leaks = await leaksIn(
    { ...content, headers: [...content.headers, ...emails, inbox.display_name ?? ''] },
    rules.canary_words,
  )
  const findings = [...on.findings, ...loop.findings, ...caps.findings, ...leaks]
  return {
    outside: on.outside,
    verdict: verdictOf(findings, engine.settings.outbound),
    conditions: { ...noConditions(), agent_sends: loop.counted, counters: caps.counters },
  }
}

/** What the organization has set for all its inboxes. */
async function rulesOf({ db }: Pick<Engine, 'db'>, orgId: OrgId) {
  const [row] = await db.query<{ canary_words: string[]; send_caps: string | null }>(
    'SELECT canary_words, send_caps FROM organizations WHERE id = $1',
    [orgId],
    'send_rules',
  )
  return row ?? { canary_words: [], send_caps: null }
}

/** What forbids an envelope by now, whatever a person says of the mail. */
export async function denialsOf(engine: Parts, asked: Addressed): Promise<Reason[]> {
  const { findings } = await onEnvelope(engine, asked)
  return findings.filter(({ effect }) => effect === 'deny').map(({ reason }) => reason)
}

async function onEnvelope(engine: Parts, asked: Addressed) {
  const { settings } = engine
  const { inbox, emails } = asked
  const inboxes = await findAddresses(engine, emails.map(withoutTag))
  const local = new Map(inboxes.map(({ address, org_id }) => [address, org_id]))
  const outside = emails.filter((email) => !local.has(withoutTag(email)))
  const ours = (email: string) => local.get(withoutTag(email)) === inbox.org_id
  const envelope = await envelopeOf(engine, asked, ours)
  const findings: Finding[] = [
    ...(await unusableSender(engine, inbox, outside)),
    ...objectionsTo(envelope).map((objection) => inWords(objection, { inbox, settings })),
  ]
  const strangers = envelope.recipients.filter((one) => !one.ours && !one.proven)
  return {
    outside: outside.length > 0,
    findings,
    strangers: [...new Set(strangers.map(({ email }) => email.toLowerCase()))],
  }
}

async function envelopeOf(
  { db, settings }: Parts,
  { caller, inbox, threadId, emails }: Addressed,
  ours: (email: string) => boolean,
): Promise<Envelope> {
  const [lists, proven] = await Promise.all([
    listsOf({ db }, inbox),
    threadId === undefined ? new Set() : provenIn({ db }, inbox.org_id, threadId),
  ])
  return {
    sendPolicy: inbox.send_policy,
    agentSendPolicy: settings.agentSendPolicy,
    agent: caller.agent,
    recipients: emails.map((email) => ({
      email,
      ours: ours(email),
      proven: proven.has(email.toLowerCase()),
    })),
    ...lists,
  }
}

/** Outside nobody answers an address that the world cannot look up, or takes mail from it that looks forged. */
async function unusableSender(
  parts: Parts,
  inbox: Addressed['inbox'],
  outside: readonly string[],
): Promise<Finding[]> {
  if (parts.settings.outbound === 'dry-run' || outside.length === 0) return []
  const trouble = await unusableDomain(parts, inbox.org_id, domainOf(inbox.address))
  if (trouble === undefined) return []
  const { because, fix } = trouble
  const message = `${inbox.address} ${because}, so nobody outside (${outside.join(', ')}) can be written to from it.`
  const reason = { code: 'sender_domain_unusable', message, fix, recipients: [...outside] }
  return [{ effect: 'deny', reason }]
}

async function listsOf(
  { db }: Pick<Engine, 'db'>,
  { org_id, id }: { org_id: OrgId; id: InboxId },
): Promise<Pick<Envelope, 'allowed' | 'blocked'>> {
  const rows = await db.query<{ list: string; entry: string }>(
    'SELECT list, entry FROM list_entries WHERE org_id = $1 AND inbox_id = $2',
    [org_id, id],
    'lists_of_inbox',
  )
  const of = (list: string) => rows.filter((row) => row.list === list).map(({ entry }) => entry)
  return { allowed: of('allow'), blocked: of('block') }
}
