// Attempts as the database knows them: begun, and written down, many in one statement.
import { setTimeout as delay } from 'node:timers/promises'
import type { SenderDomain } from '../domains/usable.ts'
import { gather, type Linger } from '../gather.ts'
import type { EventId, InboxId, JobId, MessageId, OrgId, ThreadId } from '../ids.ts'
import { findAddresses, withoutTag } from '../inboxes/find.ts'
import type { MessageRow, RecipientRow } from '../messages/message.ts'
import { isAboutChange } from '../messages/store.ts'
import type { Engine } from '../ports.ts'
import type { AddressFound } from '../recent-addresses.ts'
import { counting } from './health/count.ts'
import { silencing } from './suppressions/silence.ts'
import { type Addressed, type Suppressed, suppressedAmong } from './suppressions/suppressed.ts'

export type Recipient = Pick<RecipientRow, 'email' | 'status' | 'code' | 'detail'>

/** What delivering needs to know of a mail. */
export interface MailUnderWay {
  org_id: OrgId
  id: MessageId
  inbox_id: InboxId
  thread_id: ThreadId
  delivery: MessageRow['delivery']
  envelope: MessageRow['envelope']
  raw_sha256: string
  /** Null for a mail that began a thread. */
  answered_id: MessageId | null
}

export interface Begun {
  message: MailUnderWay
  /** The inbox sends nothing until a person clears it. */
  stopped: boolean
  /** The organization's domain that the mail is written from; null where it has none of that name. */
  sender_domain: SenderDomain | null
  /** All of them in their order, also those of other domains. */
  recipients: Recipient[]
}

/** One attempt as `record_deliveries` takes it, and what the inbox's health and the suppression list learn from it. */
export interface Entry {
  org_id: OrgId
  inbox_id: InboxId
  message_id: MessageId
  at: Date
  /** Every recipient's status, as this was decided on. */
  known: Record<string, string>
  ended: Recipient[]
  status: MessageRow['status']
  sent_at: Date | null
  remote_ids: string[]
  events: object[]
  /** What becomes of the job; null: its worker says so. */
  job: { id: JobId; attempts: number; run_at: Date | null; payload: object } | null
  /** Recipients outside that took the mail or refused it for good, and those who refused. */
  sent: number
  bounced: number
  refused: { email: string; detail: string; suppression_id: string | null }[]
  /** An id to spare for an event. */
  event_id: EventId
}

export interface Ledger {
  /** Undefined: the mail is not there any more. */
  begin(attempt: { org_id: OrgId; message_id: MessageId }): Promise<Begun | undefined>
  /** The mail's open recipients at the domain are `sending`: a server takes its time with them. */
  sending(mail: MailUnderWay, domain: string): Promise<void>
  /** False: nothing was written, since the recipients are not as `known` says any more. */
  record(entry: Entry): Promise<boolean>
  recipients(mail: Pick<MailUnderWay, 'org_id' | 'id'>): Promise<Recipient[]>
  /** Who of them came onto the suppression list after the mail was accepted. */
  suppressed(mail: Addressed): Promise<Suppressed[]>
  /** Who of them has an inbox here. */
  inboxes(emails: readonly string[]): Promise<AddressFound[]>
}

/** The recipients' states for `known`. Neither `queued` nor `sending` is an end; which of the two it is changes nothing. */
export const knownOf = (recipients: readonly Pick<Recipient, 'email' | 'status'>[]) =>
  Object.fromEntries(
    recipients.map(({ email, status }) => [email, status === 'queued' ? 'sending' : status]),
  )

/**
 * Mails end one by one as connections become free, and a statement costs as much for ten as for one. Measured with 5,000
 * queued mails: see bench/results.json.
 */
const linger: Linger = () => delay(10)

export function createLedger(parts: Pick<Engine, 'db' | 'clock'>): Ledger {
  const { db, clock } = parts
  return {
    begin: gather(async (attempts) => {
      await db.quiet()
      const rows = await db.query<{ mail: Begun }>(
        'SELECT begin_deliveries($1) AS mail',
        [JSON.stringify(attempts)],
        'send_begin',
      )
      const byId = new Map(rows.map(({ mail }) => [mail.message.id, mail]))
      return attempts.map(({ message_id }) => byId.get(message_id))
    }),
    async sending({ org_id, id }, domain) {
      await db.quiet()
      const values = [org_id, id, domain, clock.now()]
      await db.query('SELECT mark_sending($1, $2, $3, $4)', values, 'send_sending')
    },
    record: gather((entries) => recordAll(parts, entries), isAboutData, linger),
    async recipients({ org_id, id }) {
      await db.quiet()
      return db.query<Recipient>(
        `SELECT email, status, code, detail FROM recipients
         WHERE org_id = $1 AND message_id = $2 ORDER BY position`,
        [org_id, id],
        'send_recipients',
      )
    },
    suppressed: gather(async (mails) => {
      await db.quiet()
      return suppressedAmong({ db }, mails)
    }),
    inboxes: gather(async (many: (readonly string[])[]) => {
      const wanted = many.map((emails) => emails.map(withoutTag))
      await db.quiet()
      const found = await findAddresses({ db }, [...new Set(wanted.flat())])
      return wanted.map((addresses) => found.filter(({ address }) => addresses.includes(address)))
    }),
  }
}

/** SQLSTATE classes 22 (data exception) and 54 (program limit exceeded): something in one mail, not the database. */
export const isAboutData = (error: unknown) =>
  /^(22|54)/.test((error as { code?: string } | null)?.code ?? '')

const RECORD = `
  WITH written AS MATERIALIZED (
    SELECT record_deliveries($1) AS message_id
  ), entry AS (
    SELECT n.* FROM jsonb_to_recordset($1) AS n (org_id text, inbox_id text, message_id text, at timestamptz,
      sent integer, bounced integer, refused jsonb, event_id text)
    JOIN written USING (message_id)
  ), failed AS (
    SELECT e.org_id, e.message_id, e.at, f.* FROM entry e
    CROSS JOIN LATERAL jsonb_to_recordset(e.refused) AS f (email text, detail text, suppression_id text)
  ), changed AS (
    SELECT DISTINCT email FROM failed
  ), ${silencing({ org: 'f.org_id', message: 'f.message_id', at: 'f.at' })}, outcomes AS (
    SELECT org_id, inbox_id, sum(sent)::integer AS sent, sum(bounced)::integer AS bounced, 0 AS complained
    FROM entry GROUP BY org_id, inbox_id ORDER BY org_id, inbox_id
  ), ${counting({ at: '$2', eventId: '(SELECT min(e.event_id) FROM entry e WHERE e.inbox_id = s.id)' })}
  SELECT message_id AS id FROM written`

async function recordAll(
  { db, clock }: Pick<Engine, 'db' | 'clock'>,
  entries: readonly Entry[],
): Promise<boolean[]> {
  // Two domains of one mail that end together: the second was decided without the first.
  const first = new Map(entries.toReversed().map((entry) => [entry.message_id, entry]))
  await db.quiet()
  try {
    const rows = await db.query<{ id: string }>(
      RECORD,
      [JSON.stringify([...first.values()]), clock.now()],
      'send_record',
    )
    const written = new Set(rows.map(({ id }) => id))
    return entries.map(
      (entry) => first.get(entry.message_id) === entry && written.has(entry.message_id),
    )
  } catch (error) {
    if (isAboutChange(error)) return entries.map(() => false)
    throw error
  }
}
