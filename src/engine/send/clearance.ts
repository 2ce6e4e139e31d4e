// Whether this mail may go to these people: looks up what the guards have to know, and says what came out, with every reason.

import { domainOf } from '../addresses.ts'
import type { Caller } from '../caller.ts'
import type { InboxId, OrgId, ThreadId } from '../ids.ts'
import { findAddresses, withoutTag } from '../inboxes/find.ts'
import type { InboxRow } from '../inboxes/inbox.ts'
import { type Conditions, noConditions } from '../messages/store.ts'
import type { Engine, Settings } from '../ports.ts'
import { type Envelope, objectionsTo } from './policy.ts'
import { provenIn } from './proven.ts'
import { type Finding, type Reason, type Verdict, verdictOf } from './verdict.ts'
import { inWords } from './words.ts'

type Parts = Pick<Engine, 'db' | 'clock' | 'settings'>

/** Who writes to whom. */
interface Addressed {
  caller: Caller
  inbox: InboxRow
  /** The thread that the mail continues; undefined where it begins one. */
  threadId: ThreadId | undefined
  /** Every recipient of the final envelope. */
  emails: readonly string[]
}

export interface Asked extends Addressed {
  content: Content
}

/** What the mail says, as it will leave: the leak guard reads all of it. */
export interface Content {
  subject: string
  text: string | null
  html: string | null
  /** Header fields that the caller gave, each as `Name: value`; names of the people. */
  headers: readonly string[]
  files: readonly { filename: string; contentType: string; bytes: Uint8Array }[]
}

export interface Clearance {
  /** True where at least one recipient is no inbox of this server. */
  outside: boolean
  verdict: Verdict
  /** What must still be so when the mail is stored: the caps count it in there, the loop guard has seen every mail. */
  conditions: Conditions
}

/** Says whether the mail may go, must wait for a person, or does not go. Throws nothing for what it finds. */
export async function clear(engine: Parts, asked: Asked): Promise<Clearance> {
  const { outside, findings } = await onEnvelope(engine, asked)
  return {
    outside,
    verdict: verdictOf(findings, engine.settings.outbound),
    conditions: noConditions(),
  }
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
    ...unusableSender(settings, inbox, outside),
    ...objectionsTo(envelope).map((objection) => inWords(objection, { inbox, settings })),
  ]
  return { outside: outside.length > 0, envelope, findings }
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

/** .localhost (RFC 6761 §6.3) exists on this machine only: the world would refuse such a sender, and could not answer. */
function unusableSender(
  settings: Settings,
  inbox: InboxRow,
  outside: readonly string[],
): Finding[] {
  if (settings.outbound === 'dry-run' || outside.length === 0) return []
  if (!`.${domainOf(inbox.address)}`.endsWith('.localhost')) return []
  return [
    {
      effect: 'deny',
      reason: {
        code: 'sender_domain_unusable',
        message: `${inbox.address} exists on this machine only, so nobody outside (${outside.join(', ')}) can be written to from it.`,
        fix: 'Set POSTROOM_MAIL_DOMAIN to a domain of yours and write from an inbox made on it, or leave OUTBOUND at dry-run.',
        recipients: [...outside],
      },
    },
  ]
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
