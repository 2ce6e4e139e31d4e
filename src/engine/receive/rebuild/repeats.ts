// Which kept mails are attempts that came again: their bytes were kept, then the database failed, and the sender was told
// 451. The one that was acknowledged is the last of them, since nobody repeats what was taken.
import type { MessageId, OrgId } from '../../ids.ts'
import type { Engine } from '../../ports.ts'
import { fingerprint } from '../fingerprint.ts'
import { bytesOf, sidecarOf } from './kept-mail.ts'

/** For so long a repeat is recognised when it comes in. */
const WINDOW_MS = 7 * 86_400_000

/**
 * Mails that the same inbox got once more within a week. Reads the bytes of all; of a week's mails the fingerprints
 * stay in memory.
 * @param ids of mails without a row, oldest first
 */
export async function repeatsIn(
  { blobs }: Pick<Engine, 'blobs'>,
  orgId: OrgId,
  ids: readonly MessageId[],
  signal: AbortSignal,
): Promise<Set<MessageId>> {
  const repeated = new Set<MessageId>()
  const latest = new Map<string, { id: MessageId; at: number }>()
  for (const id of ids) {
    if (signal.aborted) break
    const sidecar = await sidecarOf({ blobs }, orgId, id)
    if (sidecar?.direction !== 'inbound') continue
    const raw = await bytesOf({ blobs }, orgId, sidecar)
    if (raw === undefined) continue
    const key = `${sidecar.inbox.id} ${fingerprint(raw)}`
    const at = sidecar.received_at.getTime()
    forgetBefore(latest, at - WINDOW_MS)
    const before = latest.get(key)
    if (before !== undefined) repeated.add(before.id)
    // Behind all others: they are forgotten in the order of their coming.
    latest.delete(key)
    latest.set(key, { id, at })
  }
  return repeated
}

function forgetBefore(latest: Map<string, { at: number }>, limit: number): void {
  for (const [key, { at }] of latest) {
    if (at > limit) return
    latest.delete(key)
  }
}
