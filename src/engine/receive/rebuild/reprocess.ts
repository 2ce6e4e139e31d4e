// Reading kept mail again with the present code: what would be different, and making it so.
import { newId } from '../../../platform/ids.ts'
import type { MessageId, OrgId, ThreadId } from '../../ids.ts'
import type { AttachmentRow, MessageRow } from '../../messages/message.ts'
import { summaryOf } from '../../messages/rearrange/part.ts'
import type { ThreadRow } from '../../messages/thread.ts'
import type { Engine } from '../../ports.ts'
import { createMailParser, type MailParser } from '../parse.ts'
import { messageRow } from '../rows.ts'
import { attachmentDifference, type Difference, differences, PARSED_COLUMNS } from './difference.ts'
import { readKept, sidecarOf } from './kept-mail.ts'
import { NOTHING_KNOWN } from './nothing-known.ts'

type Parts = Pick<Engine, 'db' | 'blobs' | 'settings' | 'clock'>
type Working = Parts & { parser: MailParser }

/** Mails read and written together. */
const SLICE = 25
const EXAMPLES = 5

export interface ReprocessCounts {
  read: number
  changed: number
  /** Mails in which a field differs. */
  fields: Map<string, number>
  examples: (Difference & { id: MessageId })[]
  /** Mails without sidecar or bytes: they stay as they are. */
  unreadable: number
}

export interface ReprocessOptions {
  /** Nothing is written. */
  dryRun: boolean
  signal: AbortSignal
  onProgress(done: number, total: number): void
}

/** All mail that came in, slice by slice. Ids, threads and matches stay; what threads show of their mails follows. */
export async function reprocess(parts: Parts, options: ReprocessOptions): Promise<ReprocessCounts> {
  const counts: ReprocessCounts = {
    read: 0,
    changed: 0,
    fields: new Map(),
    examples: [],
    unreadable: 0,
  }
  const [all] = await parts.db.query<{ total: number }>(
    "SELECT count(*) AS total FROM messages WHERE direction = 'inbound'",
  )
  const parser = createMailParser()
  try {
    const organizations = await parts.db.query<{ id: OrgId }>(
      'SELECT id FROM organizations ORDER BY id',
    )
    for (const { id } of organizations) {
      for await (const rows of slices(parts, id)) {
        if (options.signal.aborted) return counts
        await reprocessSlice({ ...parts, parser }, id, rows, counts, options.dryRun)
        options.onProgress(counts.read, all?.total ?? 0)
      }
    }
    return counts
  } finally {
    await parser.close()
  }
}

async function* slices({ db }: Parts, orgId: OrgId): AsyncIterable<MessageRow[]> {
  for (let after = ''; ; ) {
    await db.quiet()
    const rows = await db.query<MessageRow>(
      `SELECT * FROM messages WHERE org_id = $1 AND id > $2 AND direction = 'inbound' ORDER BY id LIMIT ${SLICE}`,
      [orgId, after],
      'reprocess_slice',
    )
    const last = rows.at(-1)
    if (last === undefined) return
    yield rows
    after = last.id
  }
}

interface Changed {
  row: MessageRow
  attachments: AttachmentRow[]
  found: Difference[]
}

async function reprocessSlice(
  parts: Working,
  orgId: OrgId,
  rows: readonly MessageRow[],
  counts: ReprocessCounts,
  dryRun: boolean,
): Promise<void> {
  const attachments = await parts.db.query<AttachmentRow>(
    'SELECT * FROM attachments WHERE org_id = $1 AND message_id = ANY($2) ORDER BY position',
    [orgId, rows.map(({ id }) => id)],
    'reprocess_attachments',
  )
  const changed: Changed[] = []
  for (const row of rows) {
    counts.read += 1
    const had = attachments.filter(({ message_id }) => message_id === row.id)
    const again = await readAgain(parts, row, had)
    if (again === undefined) counts.unreadable += 1
    else if (again.found.length > 0) changed.push(again)
  }
  for (const one of changed) count(counts, one)
  if (!dryRun && changed.length > 0) await apply(parts, orgId, changed)
}

async function readAgain(
  parts: Working,
  row: MessageRow,
  had: readonly AttachmentRow[],
): Promise<Changed | undefined> {
  const sidecar = await sidecarOf(parts, row.org_id, row.id)
  const kept = sidecar && (await readKept(parts, parts.parser, row.org_id, sidecar))
  if (kept === undefined) return undefined
  const fresh = messageRow(kept.arrival, { kind: 'new' }, NOTHING_KNOWN)
  // Which mail of ours a report names was found when it came.
  const bounce = fresh.bounce && { ...fresh.bounce, message_id: row.bounce?.message_id ?? null }
  const again = { ...fresh, bounce }
  const now = parts.clock.now()
  const attachments = kept.arrival.attachments.map((attachment, n) => ({
    ...attachment,
    id: had[n]?.id ?? newId('att', now),
  }))
  const found = [...differences(row, again), ...attachmentDifference(had, attachments)]
  return { row: { ...again, thread_id: row.thread_id }, attachments, found }
}

function count(counts: ReprocessCounts, { row, found }: Changed): void {
  counts.changed += 1
  for (const difference of found) {
    const { field } = difference
    // An example of each field first.
    const isNew = !counts.fields.has(field)
    counts.fields.set(field, (counts.fields.get(field) ?? 0) + 1)
    if (isNew && counts.examples.length < EXAMPLES)
      counts.examples.push({ id: row.id, ...difference })
  }
}

const COLUMNS = PARSED_COLUMNS.map((column) => `"${column}" = n."${column}"`).join(', ')

const APPLY = `
  WITH fresh AS (
    SELECT * FROM jsonb_populate_recordset(NULL::messages, $2)
  ), changed AS (
    UPDATE messages m SET ${COLUMNS} FROM fresh n WHERE m.org_id = $1 AND m.id = n.id
  ), own_ids AS (
    INSERT INTO message_ids (org_id, inbox_id, rfc_id, thread_id, message_id)
    SELECT DISTINCT ON (inbox_id, message_id_header) org_id, inbox_id, message_id_header, thread_id, id
    FROM fresh WHERE message_id_header IS NOT NULL
    ON CONFLICT (org_id, inbox_id, rfc_id) DO NOTHING
  ), gone AS (
    DELETE FROM attachments a WHERE a.org_id = $1 AND a.message_id IN (SELECT id FROM fresh)
      AND a.id <> ALL(SELECT id FROM jsonb_populate_recordset(NULL::attachments, $3))
  )
  INSERT INTO attachments AS a SELECT * FROM jsonb_populate_recordset(NULL::attachments, $3)
  ON CONFLICT (org_id, id) DO UPDATE SET filename = excluded.filename, content_type = excluded.content_type,
    size = excluded.size, inline = excluded.inline, content_id = excluded.content_id`

/** The sidecars first: a rebuild must give the attachments the same ids. */
async function apply(
  { db, blobs }: Parts,
  orgId: OrgId,
  changed: readonly Changed[],
): Promise<void> {
  for (const { row, attachments, found } of changed) {
    if (!found.some(({ field }) => field === 'attachments')) continue
    const sidecar = await blobs.sidecar(orgId, row.id)
    await blobs.putSidecar(orgId, row.id, {
      ...sidecar,
      attachment_ids: attachments.map(({ id }) => id),
    })
  }
  await db.quiet()
  const rows = changed.map(({ row }) => row)
  const attachments = changed.flatMap((one) => one.attachments)
  await db.query(
    APPLY,
    [orgId, JSON.stringify(rows), JSON.stringify(attachments)],
    'reprocess_apply',
  )
  for (const id of new Set(rows.map(({ thread_id }) => thread_id)))
    await showAgain({ db }, orgId, id)
}

/**
 * What a person or a mail does to the thread meanwhile stays: its state is read under the lock under which it is written,
 * and only where the last message is still the one that the preview is made of. The list of a SELECT is worked out before
 * its FOR UPDATE, so the lock stands in a part of its own.
 */
const SHOW_AGAIN = `
  WITH held AS MATERIALIZED (
    SELECT * FROM threads WHERE org_id = $1 AND id = $2 AND last_message_id = $3 FOR UPDATE
  )
  SELECT rebuild_thread($1, $4::jsonb || jsonb_build_object(
    'is_read', is_read, 'is_archived', is_archived, 'kept_apart_from', to_jsonb(kept_apart_from)))
  FROM held`

/** Subject, people and preview of a thread are its mails'. */
async function showAgain({ db }: Pick<Engine, 'db'>, orgId: OrgId, id: ThreadId): Promise<void> {
  for (;;) {
    await db.quiet()
    const [thread] = await db.query<ThreadRow>(
      'SELECT * FROM threads WHERE org_id = $1 AND id = $2',
      [orgId, id],
    )
    if (thread === undefined) return
    const { last_message_id: last } = thread
    const summary = await summaryOf({ db }, thread, [last], thread)
    const { preview, waiting_on } = summary
    const shown = JSON.stringify({ id, preview, waiting_on })
    const done = await db.query(SHOW_AGAIN, [orgId, id, last, shown], 'reprocess_show')
    if (done.length > 0) return
  }
}
