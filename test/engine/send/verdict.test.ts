import { describe, expect, test } from 'vitest'
import { type Finding, refusalOf, verdictOf } from '../../../src/engine/send/verdict.ts'

const finding = (effect: Finding['effect'], code: string, more: object = {}): Finding => ({
  effect,
  reason: { code, message: `${code}.`, fix: `Mend ${code}.`, ...more },
})
const blocked = finding('deny', 'blocked', { recipients: ['a@x.test'] })
const policy = finding('deny', 'send_policy', { recipients: ['a@x.test', 'b@x.test'] })
const cap = finding('deny', 'cap', { retry_after_seconds: 30 })
const fresh = finding('review', 'new_recipient', { recipients: ['c@x.test'] })

describe('of all that is found', () => {
  test('nothing allows', () => expect(verdictOf([], 'relay')).toEqual({ kind: 'allow' }))

  test('one denial denies, and what a person could approve is told behind it', () => {
    const verdict = verdictOf([fresh, blocked], 'relay')
    expect(verdict).toEqual({ kind: 'deny', reasons: [blocked.reason, fresh.reason] })
  })

  test('in dry-run nothing is held and what is denied stays denied', () => {
    expect(verdictOf([fresh], 'dry-run')).toEqual({
      kind: 'allow',
      reasons: [fresh.reason],
      wouldHaveBeen: 'review',
    })
    expect(verdictOf([fresh, cap], 'dry-run')).toMatchObject({ kind: 'deny' })
    for (const outbound of ['relay', 'mx']) {
      expect(verdictOf([fresh], outbound)).toEqual({ kind: 'review', reasons: [fresh.reason] })
    }
  })
})

describe('a denial as an error', () => {
  const refusal = (...findings: Finding[]) => refusalOf(findings.map(({ reason }) => reason))

  test('says every reason and every way out, and names each address once', () =>
    expect(refusal(blocked, policy)).toMatchObject({
      status: 403,
      code: 'recipient_not_allowed',
      message: 'blocked. send_policy.',
      fix: 'Mend blocked. Mend send_policy.',
      details: [
        { field: 'recipients', message: 'a@x.test' },
        { field: 'recipients', message: 'b@x.test' },
      ],
    }))

  test('names nobody whom a person could let through', () =>
    expect(refusal(blocked, fresh).details).toEqual([{ field: 'recipients', message: 'a@x.test' }]))

  test('is 429 with a time where waiting helps, and 403 where it does not help alone', () => {
    expect(refusal(cap)).toMatchObject({ status: 429, retryAfterSeconds: 30 })
    expect(refusal(blocked, cap)).toMatchObject({ status: 403 })
  })

  test('is 422 for a sender that nobody outside could answer', () => {
    const sender = finding('deny', 'sender_domain_unusable', { recipients: ['a@x.test'] })
    expect(refusal(sender)).toMatchObject({ status: 422, code: 'sender_domain_unusable' })
  })
})
