// Bringing a mailbox file in: each mail takes the way of mail that comes in, with the time it had.

import type { Engine } from '../../ports.ts'
import type { AddressFound } from '../../recent-addresses.ts'
import type { Receiver } from '../accept.ts'
import { sha256 } from '../fingerprint.ts'
import { originOf } from './origin.ts'
import { type MboxPiece, splitMbox } from './split.ts'

const MIB = 1024 * 1024
/** Mails asked for together whether they are there, and handed to the receiver together. */
const SLICE = { mails: 50, bytes: 8 * MIB }
/** Slices under way: while one is stored the next is parsed. */
const UNDER_WAY = 3

export interface ImportCounts {
  imported: number
  /** Found in the inbox, or twice in the file: nothing was stored. */
  known: number
  /** Above 150 MiB: passed over. */
  tooLarge: number
}

export interface ImportOptions {
  /** True: webhooks tell of each mail and its thread is unread, as if it came now. */
  isNews: boolean
  signal: AbortSignal
  onProgress(counts: ImportCounts): void
}

type Mail = Extract<MboxPiece, { kind: 'mail' }>
type Parts = Pick<Engine, 'db' | 'clock'> & { receiver: Receiver }

/**
 * Imports the mails of an mbox into an inbox, in their order. What the inbox has, byte for byte, is passed over
 * quickly: an import that was broken off goes on when it is run again. Holds some 30 MB, whatever the file's size.
 * Throws NotAnMbox, and whatever the database or the disk refuses.
 */
export async function importMbox(
  parts: Parts,
  inbox: AddressFound,
  source: AsyncIterable<Uint8Array>,
  options: ImportOptions,
): Promise<ImportCounts> {
  const counts: ImportCounts = { imported: 0, known: 0, tooLarge: 0 }
  const underWay: Promise<void>[] = []
  let before: Promise<unknown> = Promise.resolve()
  for await (const slice of slices(splitMbox(source))) {
    if (options.signal.aborted) break
    const mails = slice.filter((piece) => piece.kind === 'mail')
    counts.tooLarge += slice.length - mails.length
    // Ids are given as mails are handed over, and an export follows them: one slice after the other.
    const there = Promise.all([present(parts, inbox, mails), before]).then(([known]) => known)
    before = there
    const stored = importSlice(parts, inbox, { mails, there }, options, counts)
    // Awaited below; a failure before that must not end the process.
    stored.catch(() => undefined)
    underWay.push(stored)
    if (underWay.length === UNDER_WAY) await underWay.shift()
  }
  await Promise.all(underWay)
  return counts
}

async function importSlice(
  parts: Parts,
  inbox: AddressFound,
  slice: { mails: readonly Mail[]; there: Promise<ReadonlySet<Mail>> },
  { isNews, onProgress }: ImportOptions,
  counts: ImportCounts,
): Promise<void> {
  const { mails } = slice
  const there = await slice.there
  const now = parts.clock.now()
  const received = await Promise.all(
    mails
      .filter((mail) => !there.has(mail))
      .map(({ raw, form }) => {
        const { at, mailFrom } = originOf(raw, form.line, now)
        return parts.receiver.accept({
          raw,
          envelope: { mail_from: mailFrom, rcpt_to: [inbox.address] },
          peer: null,
          inboxes: [inbox],
          imported: { at, form, isNews },
        })
      }),
  )
  const stored = received.flat().filter(({ duplicate }) => !duplicate).length
  counts.imported += stored
  counts.known += mails.length - stored
  onProgress(counts)
}

async function present({ db }: Parts, inbox: AddressFound, mails: readonly Mail[]) {
  const hashes = new Map(mails.map((mail) => [mail, sha256(mail.raw)]))
  await db.quiet()
  const rows = await db.query<{ raw_sha256: string }>(
    `SELECT q.raw_sha256 FROM unnest($3::text[]) AS q (raw_sha256)
     WHERE EXISTS (SELECT 1 FROM messages m
       WHERE m.org_id = $1 AND m.raw_sha256 = q.raw_sha256 AND m.inbox_id = $2)`,
    [inbox.org_id, inbox.inbox_id, [...hashes.values()]],
    'import_present',
  )
  const there = new Set(rows.map(({ raw_sha256 }) => raw_sha256))
  return new Set(mails.filter((mail) => there.has(hashes.get(mail) ?? '')))
}

async function* slices(pieces: AsyncIterable<MboxPiece>): AsyncIterable<MboxPiece[]> {
  let slice: MboxPiece[] = []
  let bytes = 0
  for await (const piece of pieces) {
    slice.push(piece)
    bytes += piece.kind === 'mail' ? piece.raw.length : 0
    if (slice.length < SLICE.mails && bytes < SLICE.bytes) continue
    yield slice
    slice = []
    bytes = 0
  }
  if (slice.length > 0) yield slice
}
