// Giving an inbox out as a mailbox file: what was imported stands there as it stood in its file.
import type { InboxId, MessageId, OrgId } from '../../ids.ts'
import type { Engine } from '../../ports.ts'
import { formOf, type MboxEntry, type MboxForm, written } from './entry.ts'
import { separatorFor } from './separator.ts'

const SLICE = 100

export interface Exported {
  bytes: Buffer
  /** Mails so far, and of all. */
  count: number
  total: number
}

interface Row {
  id: MessageId
  raw_sha256: string
  envelope: { mail_from: string; mbox?: MboxForm }
  created_at: Date
}

/**
 * All mail of an inbox, in and out, in the order in which it came to be there, as mboxrd (RFC 4155 says why plain
 * mbox would lose bytes). One mail in memory at a time.
 */
export async function* exportMbox(
  parts: Pick<Engine, 'db' | 'blobs'>,
  inbox: { org_id: OrgId; id: InboxId },
): AsyncIterable<Exported> {
  const [counted] = await parts.db.query<{ total: number }>(
    'SELECT count(*) AS total FROM messages WHERE org_id = $1 AND inbox_id = $2',
    [inbox.org_id, inbox.id],
  )
  const total = counted?.total ?? 0
  let count = 0
  let held: MboxEntry | undefined
  for await (const row of rowsOf(parts, inbox)) {
    if (held !== undefined) yield { bytes: written(held, false), count, total }
    held = await entryOf(parts, inbox.org_id, row)
    count += 1
  }
  if (held !== undefined) yield { bytes: written(held, true), count, total }
}

async function entryOf(
  { blobs }: Pick<Engine, 'blobs'>,
  orgId: OrgId,
  { raw_sha256, envelope, created_at }: Row,
): Promise<MboxEntry> {
  const raw = await blobs.get(orgId, raw_sha256)
  return { raw, form: envelope.mbox ?? formOf(raw, separatorFor(envelope.mail_from, created_at)) }
}

async function* rowsOf(
  { db }: Pick<Engine, 'db'>,
  inbox: { org_id: OrgId; id: InboxId },
): AsyncIterable<Row> {
  for (let after = ''; ; ) {
    await db.quiet()
    const rows = await db.query<Row>(
      `SELECT id, raw_sha256, envelope, created_at FROM messages
       WHERE org_id = $1 AND inbox_id = $2 AND id > $3 ORDER BY id LIMIT ${SLICE}`,
      [inbox.org_id, inbox.id, after],
      'export_slice',
    )
    yield* rows
    const last = rows.at(-1)
    if (last === undefined) return
    after = last.id
  }
}
