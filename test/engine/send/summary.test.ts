import { describe, expect, test } from 'vitest'
import { endingOf, isOverdue, nextAttempt } from '../../../src/engine/send/outcome.ts'
import { isHandedOver, isUnderWay, summary } from '../../../src/engine/send/summary.ts'

test.each([
  ['queued queued', 'queued'],
  ['queued delivered', 'sending'],
  ['sending deferred sent', 'sending'],
  ['deferred sent bounced', 'deferred'],
  ['sent bounced delivered', 'bounced'],
  ['failed bounced', 'bounced'],
  ['failed delivered', 'failed'],
  ['dry_run delivered', 'dry_run'],
  ['sent delivered', 'sent'],
  ['delivered delivered', 'delivered'],
  ['queued suppressed', 'queued'],
  ['suppressed delivered', 'delivered'],
  ['suppressed suppressed', 'failed'],
])('recipients %s: the mail is %s', (statuses, status) =>
  expect(summary(statuses.split(' ') as Parameters<typeof summary>[0])).toBe(status),
)

test('nobody is both under way and taken', () => {
  const all = [
    'queued',
    'sending',
    'sent',
    'delivered',
    'deferred',
    'bounced',
    'failed',
    'dry_run',
  ] as const
  expect(all.filter(isUnderWay)).toEqual(['queued', 'sending', 'deferred'])
  expect(all.filter(isHandedOver)).toEqual(['sent', 'delivered', 'dry_run'])
})

describe('an attempt', () => {
  const accepted = { kind: 'accepted', code: 250, detail: 'ok' } as const
  test.each([
    ['relay', 'sent'],
    ['mx', 'delivered'],
    ['local', 'delivered'],
  ] as const)('accepted through %s: %s', (way, status) =>
    expect(endingOf(accepted, way, false)).toEqual({ status, code: 250, detail: 'ok' }),
  )
  test('refused ends at once', () =>
    expect(endingOf({ kind: 'refused', code: 550, detail: 'no' }, 'relay', false)).toEqual({
      status: 'bounced',
      code: 550,
      detail: 'no',
    }))
  test('deferred waits, and fails where it was the last attempt', () => {
    const deferred = { kind: 'deferred', code: 451, detail: 'later' } as const
    expect(endingOf(deferred, 'relay', false)).toEqual({
      status: 'deferred',
      code: 451,
      detail: 'later',
    })
    expect(endingOf(deferred, 'relay', true)).toEqual({
      status: 'failed',
      code: 451,
      detail: 'given up: later',
    })
  })
  test('an uncertain one says so, to the end', () => {
    const uncertain = { kind: 'uncertain', detail: 'line lost' } as const
    expect(endingOf(uncertain, 'relay', false)).toMatchObject({ status: 'deferred', code: null })
    for (const last of [true, false]) {
      expect(endingOf(uncertain, 'relay', last).detail).toContain('it may have arrived')
    }
  })
})

describe('when the next attempt is due', () => {
  const queued = new Date('2026-11-22T10:00:00Z')
  const schedule = [0, 300, 1800]
  const later = (hours: number) => new Date(queued.getTime() + hours * 3_600_000)

  test('each waits as long as the schedule says; after the last there is none', () => {
    expect(nextAttempt(schedule, 1, queued, queued)).toEqual(new Date('2026-11-22T10:05:00Z'))
    expect(nextAttempt(schedule, 2, queued, queued)).toEqual(new Date('2026-11-22T10:30:00Z'))
    expect(nextAttempt(schedule, 3, queued, queued)).toBeNull()
  })

  test('nothing is tried more than five days after it was queued, whatever the schedule says', () => {
    const slow = [0, 4 * 86_400, 86_400, 1]
    expect(nextAttempt(slow, 1, queued, queued)).toEqual(later(96))
    expect(nextAttempt(slow, 2, later(96), queued)).toEqual(later(120))
    expect(nextAttempt(slow, 3, later(120), queued)).toBeNull()
  })

  test('an attempt that an outage of ours made late is made where it is the first', () => {
    expect(isOverdue(queued, 1, later(200))).toBe(false)
    expect(isOverdue(queued, 2, later(120))).toBe(false)
    expect(isOverdue(queued, 2, later(121))).toBe(true)
  })
})
