// One status for a mail with many recipients. Pure.
import type { MessageStatus, RecipientRow } from '../messages/message.ts'

export type RecipientStatus = RecipientRow['status']

const UNDER_WAY: readonly RecipientStatus[] = ['queued', 'sending', 'deferred']
const HANDED_OVER: readonly RecipientStatus[] = ['sent', 'delivered', 'dry_run']

/** What went wrong is said before what went well: `recipients` tell for whom. */
const SAID_FIRST: readonly Exclude<RecipientStatus, 'suppressed'>[] = [
  'deferred',
  'bounced',
  'failed',
  'dry_run',
  'sent',
  'delivered',
  'cancelled',
]

/** True while something may still happen to this recipient by itself. */
export const isUnderWay = (status: RecipientStatus) => UNDER_WAY.includes(status)

/** True where the mail was taken for this recipient, or kept for it in dry-run. */
export const isHandedOver = (status: RecipientStatus) => HANDED_OVER.includes(status)

/**
 * The status of a message from those of its recipients: `queued` until the first attempt, `sending`
 * during one, `deferred` while somebody waits for the next, and in the end the worst that happened.
 * Recipients that are suppressed were never written to, so they do not count among others.
 */
export function summary(all: readonly RecipientStatus[]): MessageStatus {
  const statuses = all.filter((status) => status !== 'suppressed')
  if (statuses.length > 0 && statuses.every((status) => status === 'queued')) return 'queued'
  if (statuses.some((status) => status === 'queued' || status === 'sending')) return 'sending'
  return SAID_FIRST.find((status) => statuses.includes(status)) ?? 'failed'
}
