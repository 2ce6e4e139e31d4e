// Inboxes that mail was for a moment ago: whoever sends much asks for the same ones over and over.
import type { InboxId, OrgId } from './ids.ts'
import type { Engine } from './ports.ts'

export interface AddressFound {
  address: string
  org_id: OrgId
  inbox_id: InboxId
  is_active: boolean
  /** What its organization wants done with mail that fails DMARC under p=reject. */
  dmarc_policy: 'store' | 'reject'
}

/**
 * So long another process may still take mail for an inbox that was switched off here; one that was deleted gets none,
 * since storing looks again. The process that makes the change knows at once.
 */
const KEEP_MS = 1_000
const MAX_ADDRESSES = 10_000

export interface Recent {
  /** The inbox of an address that was found within the last second. */
  get(address: string, now: Date): AddressFound | undefined
  add(found: readonly AddressFound[], now: Date): void
}

const memories = new WeakMap<Engine['db'], Recent>()

/** What is remembered of a database. Taken before a look-up, so that what was found before a change is not kept after it. */
export function recentOf({ db }: Pick<Engine, 'db'>): Recent {
  const recent = memories.get(db) ?? newRecent()
  memories.set(db, recent)
  return recent
}

/** Called after a change of who gets mail, and how. */
export function forgetRecent({ db }: Pick<Engine, 'db'>): void {
  memories.delete(db)
}

function newRecent(): Recent {
  const inboxes = new Map<string, { inbox: AddressFound; at: number }>()
  return {
    get(address, now) {
      const known = inboxes.get(address)
      // Also where the clock was set back.
      const isRecent = known && Math.abs(now.getTime() - known.at) < KEEP_MS
      return isRecent ? known.inbox : undefined
    },
    add(found, now) {
      if (inboxes.size + found.length > MAX_ADDRESSES) inboxes.clear()
      for (const inbox of found) inboxes.set(inbox.address, { inbox, at: now.getTime() })
    },
  }
}
