// In which order a rebuild takes what was kept, so that the same threads come out. Pure.
import { idSuffix } from '../../../platform/ids.ts'
import type { MessageId } from '../../ids.ts'
import type { JournalEntry } from '../../journal.ts'

export type Rearrangement = Extract<JournalEntry, { kind: 'threads_rearranged' }>

export type Step =
  | { kind: 'messages'; ids: MessageId[] }
  | { kind: 'rearrangement'; entry: Rearrangement }

/**
 * Mails in the order of their ids, which is that of their coming; one that was overtaken stands behind the mail that
 * began its thread. What was done to threads by hand stands between the mails that came before and after it.
 * @param most mails of one step
 */
export function stepsOf(
  ids: readonly MessageId[],
  journal: readonly JournalEntry[],
  most: number,
): Step[] {
  const begun = new Map(
    journal.flatMap((entry) =>
      entry.kind === 'overtaken' ? [[entry.message_id, idSuffix(entry.thread_id)]] : [],
    ) as [string, string][],
  )
  const keyOf = (id: MessageId) => {
    const own = idSuffix(id)
    const first = begun.get(id) ?? own
    return first > own ? `${first} ${own}` : own
  }
  const sorted = ids.map((id) => ({ id, key: keyOf(id) })).sort((a, b) => (a.key < b.key ? -1 : 1))
  const steps: Step[] = []
  let taken = 0
  const take = (until: number) => {
    for (; taken < until; taken = Math.min(taken + most, until)) {
      const slice = sorted.slice(taken, Math.min(taken + most, until))
      steps.push({ kind: 'messages', ids: slice.map(({ id }) => id) })
    }
  }
  for (const entry of madeByHand(journal)) {
    // By ids, not by times: a clock may be set back, and ids go on.
    const made = idSuffix(entry.change.audit.id)
    const behind = sorted.findIndex(({ id }) => idSuffix(id) > made)
    take(Math.max(taken, behind < 0 ? sorted.length : behind))
    steps.push({ kind: 'rearrangement', entry })
  }
  take(sorted.length)
  return steps
}

function madeByHand(journal: readonly JournalEntry[]): Rearrangement[] {
  const withdrawn = new Set(
    journal.flatMap((entry) => (entry.kind === 'rearrangement_withdrawn' ? [entry.audit_id] : [])),
  )
  return journal.filter(
    (entry): entry is Rearrangement =>
      entry.kind === 'threads_rearranged' && !withdrawn.has(entry.change.audit.id),
  )
}
