// Whether this mail may go to these people: looks up what the policy has to know, and refuses in words that can be acted on.

import { domainOf } from '../addresses.ts'
import type { Caller } from '../caller.ts'
import { Forbidden, Unprocessable } from '../errors.ts'
import type { InboxId, OrgId, ThreadId } from '../ids.ts'
import { findAddresses, withoutTag } from '../inboxes/find.ts'
import type { InboxRow } from '../inboxes/inbox.ts'
import type { Engine, Settings } from '../ports.ts'
import { decide, type Verdict } from './policy.ts'

type Parts = Pick<Engine, 'db' | 'settings'>

interface Asked {
  caller: Caller
  inbox: InboxRow
  threadId: ThreadId | undefined
  /** Every recipient of the final envelope. */
  emails: readonly string[]
}

export interface Clearance {
  /** True where at least one recipient is no inbox of this server. */
  outside: boolean
}

/** Throws Forbidden where the policy does not let it go, Unprocessable where nobody outside could answer it. */
export async function clear({ db, settings }: Parts, asked: Asked): Promise<Clearance> {
  const { caller, inbox, threadId, emails } = asked
  const inboxes = await findAddresses({ db }, emails.map(withoutTag))
  const local = new Map(inboxes.map(({ address, org_id }) => [address, org_id]))
  const outside = emails.filter((email) => !local.has(withoutTag(email)))
  requireUsableSender(settings, inbox, outside)
  const [lists, proven] = await Promise.all([
    listsOf({ db }, inbox),
    threadId === undefined ? new Set() : provenIn({ db }, inbox.org_id, inbox.id, threadId),
  ])
  const verdict = decide({
    sendPolicy: inbox.send_policy,
    agentSendPolicy: settings.agentSendPolicy,
    outbound: settings.outbound,
    agent: caller.agent,
    recipients: emails.map((email) => ({
      email,
      ours: local.get(withoutTag(email)) === caller.orgId,
      proven: proven.has(email.toLowerCase()),
    })),
    ...lists,
  })
  if (verdict.kind !== 'allow') throw refusal(verdict, inbox, settings)
  return { outside: outside.length > 0 }
}

/** .localhost (RFC 6761 §6.3) exists on this machine only: the world would refuse such a sender, and could not answer. */
function requireUsableSender(settings: Settings, inbox: InboxRow, outside: readonly string[]) {
  if (settings.outbound === 'dry-run' || outside.length === 0) return
  if (!`.${domainOf(inbox.address)}`.endsWith('.localhost')) return
  throw new Unprocessable(
    'sender_domain_unusable',
    `${inbox.address} exists on this machine only, so nobody outside (${outside.join(', ')}) can be written to from it.`,
    {
      fix: 'Set POSTROOM_MAIL_DOMAIN to a domain of yours and write from an inbox made on it, or leave OUTBOUND at dry-run.',
    },
  )
}

async function listsOf({ db }: Pick<Engine, 'db'>, { org_id, id }: InboxRow) {
  const rows = await db.query<{ list: string; entry: string }>(
    'SELECT list, entry FROM list_entries WHERE org_id = $1 AND inbox_id = $2',
    [org_id, id],
    'lists_of_inbox',
  )
  const of = (list: string) => rows.filter((row) => row.list === list).map(({ entry }) => entry)
  return { allowed: of('allow'), blocked: of('block') }
}

/**
 * Who is proven in a thread: the authors of its inbound mail with DMARC pass (RFC 7489), and whoever
 * a person wrote to there. Cc and Reply-To of mail that came in prove nothing: anybody can put anybody there.
 */
async function provenIn(
  { db }: Pick<Engine, 'db'>,
  orgId: OrgId,
  inboxId: InboxId,
  threadId: ThreadId,
): Promise<Set<string>> {
  const rows = await db.query<{ email: string }>(
    `SELECT lower("from" ->> 'email') AS email FROM messages
     WHERE org_id = $1 AND inbox_id = $2 AND thread_id = $3 AND direction = 'inbound'
       AND authentication ->> 'dmarc' = 'pass' AND "from" IS NOT NULL
     UNION
     SELECT lower(recipient) FROM messages, jsonb_array_elements_text(envelope -> 'rcpt_to') AS recipient
     WHERE org_id = $1 AND inbox_id = $2 AND thread_id = $3 AND direction = 'outbound' AND NOT by_agent`,
    [orgId, inboxId, threadId],
    'proven_in_thread',
  )
  return new Set(rows.map(({ email }) => email))
}

function refusal(
  verdict: Exclude<Verdict, { kind: 'allow' }>,
  inbox: InboxRow,
  settings: Settings,
) {
  const people = verdict.recipients.join(', ')
  const allowList = `have a person with org:admin add the address or its domain to the allow-list (PUT /v1/agent/inboxes/${inbox.id}/lists/allow)`
  const { message, fix } = wordsOf(verdict, { inbox, settings, people, allowList })
  return new Forbidden(message, {
    code: 'recipient_not_allowed',
    fix,
    details: verdict.recipients.map((email) => ({ field: 'recipients', message: email })),
  })
}

interface Words {
  inbox: InboxRow
  settings: Settings
  people: string
  allowList: string
}

function wordsOf(
  { because }: Exclude<Verdict, { kind: 'allow' }>,
  { inbox, settings, people, allowList }: Words,
): { message: string; fix: string } {
  const policy = `send_policy of ${inbox.address} is "${inbox.send_policy}"`
  switch (because) {
    case 'blocked':
      return {
        message: `${people}: on the block-list of ${inbox.address}.`,
        fix: `Leave them out, or have a person with org:admin change the block-list (PUT /v1/agent/inboxes/${inbox.id}/lists/block).`,
      }
    case 'send_policy':
      return {
        message: `${people}: not allowed, since the ${policy}.`,
        fix:
          inbox.send_policy === 'allowlist'
            ? `Leave them out, or ${allowList}.`
            : `Have a person with org:admin change send_policy (PATCH /v1/agent/inboxes/${inbox.id}).`,
      }
    case 'AGENT_SEND_POLICY':
      return {
        message: `${people}: an agent may not write there without a person, since AGENT_SEND_POLICY is "${settings.agentSendPolicy}".`,
        fix:
          settings.agentSendPolicy === 'review-new'
            ? `Tell your user; to let such mail go, ${allowList}.`
            : 'Tell your user: a person sends it with a key of their own, or sets AGENT_SEND_POLICY to review-new or open.',
      }
  }
}
