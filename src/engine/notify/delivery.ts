// A delivery: one event on its way to one endpoint. Its body is rendered once and never changes.
import type { DeliveryId, EventId, InboxId, OrgId } from '../ids.ts'

export const DELIVERY_STATUSES = ['pending', 'delivered', 'failed'] as const
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number]

export interface DeliveryRow {
  org_id: OrgId
  id: DeliveryId
  inbox_id: InboxId
  event_id: EventId
  event: string
  /** Where the last attempt went, and before the first where it would have gone. */
  url: string
  body: string
  status: DeliveryStatus
  next_attempt_at: Date | null
  created_at: Date
}

export interface AttemptRow {
  org_id: OrgId
  delivery_id: DeliveryId
  /** 1-based. */
  number: number
  started_at: Date
  duration_ms: number
  http_status: number | null
  reason: string | null
  /** The first 1 KB of what the receiver said. */
  answer: string | null
}

/** The job that makes the next attempts of the deliveries it names. */
export const POST_JOB = 'notify.post'

/** A slow receiver fills its own lane; sixteen must be slow at once before another waits for them. */
export const POST_LIMIT = { atOnce: 64, perLane: 4 }
