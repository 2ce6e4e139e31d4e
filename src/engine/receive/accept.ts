// Taking mail in: parse, keep the bytes, find the thread, store, and only then say so.
import { setTimeout as delay } from 'node:timers/promises'
import { idSuffix, newId } from '../../platform/ids.ts'
import { gather, type Linger } from '../gather.ts'
import type { MessageId } from '../ids.ts'
import { type Batch, emptyBatch, storeMessages } from '../messages/store.ts'
import type { Engine } from '../ports.ts'
import type { Incoming, Received } from './incoming.ts'
import { createJudge } from './judge.ts'
import { type Known, lookUp } from './known.ts'
import { createMailParser } from './parse.ts'
import { type Arrival, addArrival, arrivalOf, sidecarOf } from './rows.ts'
import { type Place, placeOfMail } from './thread.ts'
import { createTurns } from './turns.ts'

type Parts = Pick<Engine, 'db' | 'clock' | 'blobs' | 'jobs' | 'log' | 'dns' | 'settings'>

/** How often a batch is decided again after the ground has moved under it. */
const MAX_DECISIONS = 8

/** The embedded database has one connection, and a statement costs it as much as five mails. */
const EMBEDDED_LINGER_MS = 4
/** Under load, when those who were just answered come again. */
const LINGER_BEHIND = 4

export interface Receiver {
  /**
   * Keeps a mail for every inbox named, all of an organization's or none. It resolves once the raw bytes are
   * fsynced and the rows are committed; until then nothing may be acknowledged. Any failure throws: the sender
   * keeps the mail and comes again, and what was stored already is then recognised. RFC 5321 §4.2.5.
   * MailRefused: for good, with the answer to give.
   */
  accept(incoming: Incoming): Promise<Received[]>
  /** Ends the threads that read large mails. */
  close(): Promise<void>
}

export function createReceiver(parts: Parts): Receiver {
  const parser = createMailParser()
  const judge = createJudge(parts)
  const turn = createTurns()
  const linger = lingerOf(parts, turn)
  const store = gather((mails: Mail[]) => storeMails(parts, mails), isAboutOneMail, linger)
  return {
    async accept(incoming) {
      const at = parts.clock.now()
      const { raw, envelope } = incoming
      // Before anything waits: ids are in the order in which mail came.
      const ids = incoming.inboxes.map(() => newId('msg', at))
      const { smtpHostname: hostname } = parts.settings
      await turn()
      const [taken, authentication] = await Promise.all([
        parser.take(raw, { mailFrom: envelope.mail_from, hostname }),
        judge(incoming),
      ])
      const mail = { incoming, at, authentication, ...taken }
      const arrivals = incoming.inboxes.map((inbox, n) =>
        arrivalOf(inbox, ids[n] as MessageId, mail),
      )
      const kept = raw.length > LARGE_BYTES ? keepBytes(parts, arrivals) : undefined
      const received = await perOrganization(arrivals, (some) => store({ arrivals: some, kept }))
      await afterCommit(parts, arrivals, received)
      parts.jobs.wake()
      return received
    },
    close: parser.close,
  }
}

/** A batch takes with it whatever has come whole by now, even where it is still to be read. */
function lingerOf({ db }: Parts, turn: () => Promise<void>): Linger {
  return async (before) => {
    await turn()
    if (db.embedded && before >= LINGER_BEHIND) await delay(EMBEDDED_LINGER_MS)
  }
}

/** One mail for the inboxes of one organization. */
interface Mail {
  arrivals: Arrival[]
  /** Of a large one that is on its way to disk already; the others go together, a batch at a time. */
  kept: Promise<void> | undefined
}

/** So much takes longer to write than a batch to look up. */
const LARGE_BYTES = 256 * 1024

class NotKept extends Error {
  readonly code: string | undefined
  constructor(cause: NodeJS.ErrnoException) {
    super(cause.message, { cause })
    this.code = cause.code
  }
}

/** What it was decided on changes each time: its inbox is being deleted, or another mail of the batch is its cause. */
class NeverSettled extends Error {}

/** Its bytes, its place, or SQLSTATE classes 22 (data exception) and 54 (program limit exceeded): not the database. */
const isAboutOneMail = (error: unknown) =>
  error instanceof NotKept ||
  error instanceof NeverSettled ||
  /^(22|54)/.test((error as { code?: string } | null)?.code ?? '')

/**
 * Resolves once bytes and sidecars survive a power cut; until then no row may point at them. Begun before the mail is
 * decided on, and waited for before it is stored.
 */
function keepBytes({ blobs }: Parts, arrivals: readonly Arrival[]): Promise<void> {
  const kept = async () => {
    const [first] = arrivals
    if (first === undefined) return
    const { rawSha256, incoming } = first
    const organizations = new Set(arrivals.map(({ inbox }) => inbox.org_id))
    await Promise.all([
      ...[...organizations].map((orgId) => blobs.put(orgId, rawSha256, incoming.raw)),
      ...arrivals.map((arrival) =>
        blobs.putSidecar(arrival.inbox.org_id, arrival.messageId, sidecarOf(arrival)),
      ),
    ])
  }
  const keeping = kept().catch((error) => Promise.reject(new NotKept(error)))
  // It may fail before anybody waits for it.
  keeping.catch(() => undefined)
  return keeping
}

async function perOrganization(
  arrivals: readonly Arrival[],
  store: (arrivals: Arrival[]) => Promise<Received[]>,
): Promise<Received[]> {
  const groups = new Map<string, Arrival[]>()
  for (const arrival of arrivals) {
    const group = groups.get(arrival.inbox.org_id) ?? []
    groups.set(arrival.inbox.org_id, [...group, arrival])
  }
  return (await Promise.all([...groups.values()].map(store))).flat()
}

/** Stores mails together, in the order in which they came; one answer a mail, with one entry an inbox. */
async function storeMails(parts: Parts, mails: Mail[]): Promise<Received[][]> {
  const idOf = (n: number) => mails[n]?.arrivals[0]?.messageId ?? ''
  const order = mails.map((_, n) => n).sort((a, b) => (idOf(a) < idOf(b) ? -1 : 1))
  const received = await storeInOrder(
    parts,
    order.map((n) => mails[n] as Mail),
  )
  return mails.map((_, n) => received[order.indexOf(n)] as Received[])
}

async function storeInOrder(parts: Parts, mails: Mail[]): Promise<Received[][]> {
  const kept = mails.map((mail) => mail.kept ?? keepBytes(parts, mail.arrivals))
  const received: Received[][] = []
  let decisions = 0
  while (received.length < mails.length) {
    const left = mails.slice(received.length)
    const decided = await decide(
      parts,
      left.map(({ arrivals }) => arrivals),
    )
    const { batch } = decided
    await Promise.all(kept.slice(received.length, received.length + decided.received.length))
    const empty = batch.messages.length === 0
    if (empty || (await storeMessages(parts, batch)) === 'stored') {
      received.push(...decided.received)
      await noteOvertaken(parts, batch)
      decisions = 0
    } else if (++decisions === MAX_DECISIONS) {
      throw new NeverSettled('its inbox or its threads kept changing while it was stored')
    }
  }
  return received
}

/** What a rebuild in the order of ids could not know. */
async function noteOvertaken({ blobs }: Parts, { messages }: Batch): Promise<void> {
  for (const { row } of messages) {
    const { org_id, id, thread_id } = row
    if (idSuffix(thread_id) <= idSuffix(id)) continue
    await blobs.journal(org_id, { kind: 'overtaken', message_id: id, thread_id })
  }
}

/**
 * Decides as many of the mails as can go into one statement. A mail that joins threads begins a new one: what came
 * before it must be stored in the threads as they were.
 */
async function decide(parts: Parts, mails: Arrival[][]) {
  const known = await lookUp(parts, mails.flat())
  const batch = emptyBatch()
  const received: Received[][] = []
  for (const arrivals of mails) {
    const placed = arrivals.map((arrival) => ({ arrival, place: placeOf(arrival, known) }))
    const joinsThreads = placed.some(
      ({ place }) => place?.kind === 'joins' && place.merges.length > 0,
    )
    if (joinsThreads && batch.messages.length > 0) break
    received.push(placed.map(({ arrival, place }) => add(batch, known, arrival, place)))
  }
  return { batch, received }
}

/** Where a mail goes; undefined where the same delivery was taken before. */
function placeOf(
  { inbox, parsed, fingerprint, incoming }: Arrival,
  known: Known,
): Place | undefined {
  if (known.seenAs(inbox.inbox_id, fingerprint) !== undefined) return undefined
  const author = parsed.from?.email ?? null
  return placeOfMail(parsed.ties, author, known.in(inbox.inbox_id), incoming.envelope.rcpt_to)
}

function add(batch: Batch, known: Known, arrival: Arrival, place: Place | undefined): Received {
  const { inbox_id } = arrival.inbox
  const before = known.seenAs(inbox_id, arrival.fingerprint)
  if (before !== undefined) return { message_id: before, inbox_id, duplicate: true }
  if (place === undefined) throw new Error('only a mail that was seen before has no place')
  const row = addArrival(batch, arrival, place, known.in(inbox_id))
  known.add(arrival, row.thread_id, place)
  return { message_id: row.id, inbox_id, duplicate: false }
}

/**
 * A duplicate needs no sidecar. And where the same bytes were being removed for another inbox just now,
 * they are put back before the mail is acknowledged.
 */
async function afterCommit({ blobs }: Parts, arrivals: readonly Arrival[], received: Received[]) {
  const kept = new Set(received.map(({ message_id }) => message_id))
  for (const { inbox, messageId, rawSha256, incoming } of arrivals) {
    if (!kept.has(messageId)) await blobs.removeSidecar(inbox.org_id, messageId)
    if (!(await blobs.has(inbox.org_id, rawSha256))) {
      await blobs.put(inbox.org_id, rawSha256, incoming.raw)
    }
  }
}
