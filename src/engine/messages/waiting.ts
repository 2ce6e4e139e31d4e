// Mail that is written and stored and has not gone: the states before the queue, and those of mail that never will.
import type { MessageStatus } from './message.ts'

/** Waits for a person or an hour, and may go yet. */
export const WAITING = ['scheduled', 'pending_review'] as const satisfies MessageStatus[]
/** Will never go. */
export const WITHDRAWN = ['rejected', 'expired', 'cancelled'] as const satisfies MessageStatus[]
/** Nobody outside has heard of it. */
export const NOT_GONE: readonly MessageStatus[] = [...WAITING, ...WITHDRAWN]
