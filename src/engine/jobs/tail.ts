// Following the event log beside the queue.

/**
 * A reader of the event log. `step` reads one batch further: `more` when there may be more,
 * `held` when an open transaction still hides the order of what follows, else `end`.
 */
export interface Tail {
  name: string
  step(): Promise<'more' | 'held' | 'end'>
}
