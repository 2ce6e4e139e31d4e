// Rebuilding the database from the raw store: what has no row gets one, with the ids and the thread it had.
import type { InboxId, MessageId, OrgId } from '../../ids.ts'
import { JournalEntry } from '../../journal.ts'
import type { Engine } from '../../ports.ts'
import { removeUnused } from '../../unused-blob.ts'
import { createMailParser, type MailParser } from '../parse.ts'
import type { Arrival } from '../rows.ts'
import { REBUILDING } from '../sweep.ts'
import { type InboxState, restoreInbox, restoreOrganization, retireAddresses } from './house.ts'
import { type KeptMail, readKept, sidecarOf } from './kept-mail.ts'
import { type Rearrangement, stepsOf } from './order.ts'
import { repeatsIn } from './repeats.ts'
import type { Sidecar } from './sidecar.ts'
import { storeInbound } from './store-inbound.ts'
import { storeOutbound } from './store-outbound.ts'
import { restoreSuppressions } from './suppressions.ts'

type Parts = Pick<Engine, 'db' | 'clock' | 'blobs' | 'settings' | 'log'>

/** Mails read and stored together; a statement of 50 stays under 50 ms. */
const SLICE = 50
/** And not more than so many bytes in memory, and one mail. */
const BYTES_TOGETHER = 32 * 1024 * 1024
const LOOK_UP = 500

export interface ReindexCounts {
  /** Mails that got their rows again. */
  rebuilt: number
  /** Mails whose rows were there. */
  present: number
  /** Of inboxes that were deleted; what was left of them is removed. */
  deleted: number
  /** Kept, but never acknowledged, and delivered once more. */
  repeated: number
  /** Sidecars that cannot be read, or whose bytes are gone. */
  unreadable: MessageId[]
  organizations: OrgId[]
  inboxes: string[]
  /** Inboxes whose address is another's by now: they keep their mail, switched off. */
  withoutAddress: string[]
  /** The keys of the fresh start open the organization that came back. */
  tookPlace: boolean
}

export interface ReindexOptions {
  signal: AbortSignal
  onProgress(done: number, total: number): void
}

/**
 * Goes through everything that is kept, slice by slice; safe to repeat and to break off, also while mail comes in.
 * Keys, people, labels, drafts, domains and documents are in no mail and do not come back; nor do webhooks and inbox settings.
 */
export async function reindex(parts: Parts, options: ReindexOptions): Promise<ReindexCounts> {
  const counts: ReindexCounts = {
    rebuilt: 0,
    present: 0,
    deleted: 0,
    repeated: 0,
    unreadable: [],
    organizations: [],
    inboxes: [],
    withoutAddress: [],
    tookPlace: false,
  }
  const parser = createMailParser()
  try {
    const kept = await withMail(parts)
    let total = 0
    for (const { ids } of kept) total += ids.length
    for (const { orgId, ids } of kept) {
      await reindexOrganization({ ...parts, parser }, orgId, ids, {
        counts,
        signal: options.signal,
        kept: kept.map((one) => one.orgId),
        onProgress: (done) => options.onProgress(done, total),
      })
    }
    return counts
  } finally {
    await parser.close()
  }
}

/** Organizations that have mail or a history; the ids alone, 60 bytes a mail. */
async function withMail({ blobs }: Parts): Promise<{ orgId: OrgId; ids: MessageId[] }[]> {
  const found = []
  for (const orgId of await blobs.organizations()) {
    const ids: MessageId[] = []
    for await (const one of blobs.list(orgId)) if (one.kind === 'sidecar') ids.push(one.messageId)
    if (ids.length > 0) found.push({ orgId, ids })
  }
  return found
}

interface Run {
  counts: ReindexCounts
  signal: AbortSignal
  kept: readonly OrgId[]
  onProgress(done: number): void
}

type Working = Parts & { parser: MailParser }

async function reindexOrganization(
  parts: Working,
  orgId: OrgId,
  ids: readonly MessageId[],
  { counts, signal, kept, onProgress }: Run,
): Promise<void> {
  const lines = await parts.blobs.entries(orgId)
  const journal = lines.flatMap((line) => JournalEntry.safeParse(line).data ?? [])
  await mark(parts, orgId)
  const known = await parts.db.query('SELECT 1 FROM organizations WHERE id = $1', [orgId])
  if (await restoreOrganization(parts, orgId, journal, kept)) counts.tookPlace = true
  if (known.length === 0) counts.organizations.push(orgId)
  const deleted = await retireAddresses(parts, orgId, journal)
  await restoreSuppressions(parts, orgId, journal, deleted)
  const house = createHouse(parts, orgId, deleted, counts)
  const repeats = await repeatsIn(parts, orgId, await withoutRow(parts, orgId, ids), signal)
  for (const step of stepsOf(ids, journal, SLICE)) {
    // The mark stays: what has no row yet must not be swept away.
    if (signal.aborted) return
    if (step.kind === 'rearrangement') await rearrangeAgain(parts, orgId, step.entry)
    else await rebuildSlice(parts, orgId, step.ids, { counts, house, repeats })
    onProgress(doneOf(counts))
  }
  await parts.db.query('DELETE FROM cursors WHERE name = $1', [REBUILDING + orgId])
}

async function withoutRow(
  parts: Parts,
  orgId: OrgId,
  ids: readonly MessageId[],
): Promise<MessageId[]> {
  const left: MessageId[] = []
  const sorted = [...ids].sort()
  for (let at = 0; at < sorted.length; at += LOOK_UP) {
    const some = sorted.slice(at, at + LOOK_UP)
    const there = await present(parts, orgId, some)
    left.push(...some.filter((id) => !there.has(id)))
  }
  return left
}

async function present(
  { db }: Parts,
  orgId: OrgId,
  ids: readonly MessageId[],
): Promise<Set<MessageId>> {
  await db.quiet()
  const rows = await db.query<{ id: MessageId }>(
    'SELECT id FROM messages WHERE org_id = $1 AND id = ANY($2)',
    [orgId, ids],
    'reindex_present',
  )
  return new Set(rows.map(({ id }) => id))
}

const doneOf = ({ rebuilt, present, deleted, repeated, unreadable }: ReindexCounts) =>
  rebuilt + present + deleted + repeated + unreadable.length

const mark = ({ db }: Parts, orgId: OrgId) =>
  db.query(
    "INSERT INTO cursors (name, xid, seq) VALUES ($1, '0', 0) ON CONFLICT (name) DO NOTHING",
    [REBUILDING + orgId],
  )

type House = (inbox: Sidecar['inbox']) => Promise<InboxState>

/** Each inbox is made once. */
function createHouse(
  parts: Parts,
  orgId: OrgId,
  deleted: ReadonlySet<string>,
  counts: ReindexCounts,
): House {
  const states = new Map<InboxId, InboxState>()
  return async (inbox) => {
    const known = states.get(inbox.id)
    if (known !== undefined) return known
    const state = deleted.has(inbox.id) ? 'deleted' : await restoreInbox(parts, orgId, inbox)
    states.set(inbox.id, state)
    if (state === 'made') counts.inboxes.push(inbox.address)
    if (state === 'made_without_address') counts.withoutAddress.push(inbox.address)
    return state
  }
}

interface Slice {
  counts: ReindexCounts
  house: House
  repeats: ReadonlySet<MessageId>
}

async function rebuildSlice(
  parts: Working,
  orgId: OrgId,
  ids: readonly MessageId[],
  { counts, house, repeats }: Slice,
): Promise<void> {
  const there = await present(parts, orgId, ids)
  counts.present += there.size
  const found = await Promise.all(
    ids
      .filter((id) => !there.has(id))
      .map(async (id) => ({ id, sidecar: await sidecarOf(parts, orgId, id) })),
  )
  let mails: KeptMail[] = []
  let bytes = 0
  const store = async () => {
    const stored = await storeRuns(parts, mails)
    counts.rebuilt += stored
    counts.repeated += mails.length - stored
    mails = []
    bytes = 0
  }
  for (const { id, sidecar } of found) {
    if (sidecar !== undefined && (await house(sidecar.inbox)) === 'deleted') {
      await parts.blobs.removeSidecar(orgId, id)
      await removeUnused(parts, orgId, [sidecar.raw_sha256])
      counts.deleted += 1
      continue
    }
    if (repeats.has(id)) {
      counts.repeated += 1
      continue
    }
    const mail = sidecar && (await readKept(parts, parts.parser, orgId, sidecar))
    if (mail === undefined) {
      counts.unreadable.push(id)
      continue
    }
    mails.push(mail)
    bytes += mail.arrival.incoming.raw.length
    if (bytes > BYTES_TOGETHER) await store()
  }
  await store()
}

/** Mail in and mail out in their order: what came in together is stored together. Returns how many got rows. */
async function storeRuns(parts: Parts, mails: readonly KeptMail[]): Promise<number> {
  let stored = 0
  let inbound: Arrival[] = []
  const flush = async () => {
    stored += await storeInbound(parts, inbound)
    inbound = []
  }
  for (const mail of mails) {
    if (mail.sidecar.direction === 'inbound') inbound.push(mail.arrival)
    else {
      await flush()
      await storeOutbound(parts, mail)
      stored += 1
    }
  }
  await flush()
  return stored
}

/** Once: its audit says that it was made. */
async function rearrangeAgain(
  { db, log }: Parts,
  orgId: OrgId,
  { change }: Rearrangement,
): Promise<void> {
  const made = await db.query('SELECT 1 FROM audit WHERE org_id = $1 AND id = $2', [
    orgId,
    change.audit.id,
  ])
  if (made.length > 0) return
  const again = { ...change, held: [], events: [] }
  await db.query('SELECT rearrange_threads($1)', [JSON.stringify(again)]).catch((error: Error) => {
    log.warn(
      { audit: change.audit.id, reason: error.message },
      'threads could not be rearranged as they were',
    )
  })
}
