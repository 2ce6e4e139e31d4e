import { describe, expect, test } from 'vitest'
import { type Envelope, objectionsTo } from '../../../src/engine/send/policy.ts'

const stranger = { email: 'new@x.test', ours: false, proven: false }
const known = { email: 'known@x.test', ours: false, proven: true }
const ours = { email: 'b@ours.test', ours: true, proven: false }

const envelope = (given: Partial<Envelope>): Envelope => ({
  sendPolicy: 'open',
  agentSendPolicy: 'review-new',
  agent: true,
  recipients: [stranger],
  allowed: [],
  blocked: [],
  ...given,
})
const said = (given: Partial<Envelope>) =>
  objectionsTo(envelope(given))
    .map(({ effect, because, recipients }) => `${effect} by ${because}: ${recipients.join(' ')}`)
    .join('; ') || 'allow'

describe('an agent, by AGENT_SEND_POLICY', () => {
  test.each<[string, Partial<Envelope>, string]>([
    ['to somebody new', {}, 'review by new_recipient: new@x.test'],
    ['to somebody proven', { recipients: [known] }, 'allow'],
    ['to an inbox of the organization', { recipients: [ours] }, 'allow'],
    ['to a listed address, in any case', { allowed: ['new@x.test'] }, 'allow'],
    [
      'listed, written otherwise',
      { allowed: ['new@x.test'], recipients: [{ ...stranger, email: 'NEW@X.test' }] },
      'allow',
    ],
    ['to a listed domain', { allowed: ['x.test'] }, 'allow'],
    [
      'to a subdomain of a listed domain',
      { allowed: ['x.test'], recipients: [{ ...stranger, email: 'a@sub.x.test' }] },
      'review by new_recipient: a@sub.x.test',
    ],
    [
      'to a domain that only ends alike',
      { allowed: ['x.test'], recipients: [{ ...stranger, email: 'a@evilx.test' }] },
      'review by new_recipient: a@evilx.test',
    ],
    [
      'to a tag of a listed address',
      { allowed: ['new@x.test'], recipients: [{ ...stranger, email: 'new+1@x.test' }] },
      'review by new_recipient: new+1@x.test',
    ],
    [
      'to known and new together: only the new one is named',
      { recipients: [known, stranger, ours] },
      'review by new_recipient: new@x.test',
    ],
    [
      'review-all, to somebody proven',
      { agentSendPolicy: 'review-all', recipients: [known] },
      'review by agent_send_policy: known@x.test',
    ],
    [
      'review-all, to ourselves',
      { agentSendPolicy: 'review-all', recipients: [ours], allowed: ['ours.test'] },
      'review by agent_send_policy: b@ours.test',
    ],
    ['open', { agentSendPolicy: 'open' }, 'allow'],
  ])('%s', (_title, given, verdict) => expect(said(given)).toBe(verdict))
})

describe('everybody, by the send_policy of the inbox', () => {
  test.each<[string, Partial<Envelope>, string]>([
    ['open', {}, 'allow'],
    ['off', { sendPolicy: 'off', recipients: [ours] }, 'deny by send_policy: b@ours.test'],
    ['review', { sendPolicy: 'review', recipients: [ours] }, 'review by send_policy: b@ours.test'],
    [
      'reply_only to a participant',
      { sendPolicy: 'reply_only', recipients: [known, ours] },
      'allow',
    ],
    [
      'reply_only to somebody else, also a listed one',
      { sendPolicy: 'reply_only', recipients: [known, stranger], allowed: ['new@x.test'] },
      'deny by send_policy: new@x.test',
    ],
    ['allowlist, listed', { sendPolicy: 'allowlist', allowed: ['x.test'] }, 'allow'],
    [
      'allowlist, proven but not listed',
      { sendPolicy: 'allowlist', recipients: [known] },
      'deny by send_policy: known@x.test',
    ],
  ])('%s', (_title, given, verdict) => expect(said({ agent: false, ...given })).toBe(verdict))

  test('an open AGENT_SEND_POLICY does not open an inbox', () =>
    expect(said({ agentSendPolicy: 'open', sendPolicy: 'reply_only' })).toBe(
      'deny by send_policy: new@x.test',
    ))
  test('nor does an open inbox open AGENT_SEND_POLICY', () =>
    expect(said({ sendPolicy: 'allowlist', allowed: ['y.test'], recipients: [ours] })).toBe(
      'allow',
    ))
})

describe('the block-list wins at every level', () => {
  test.each<[string, string, string]>([
    ['the address', 'new@x.test', 'new@x.test'],
    ['the address in other letters', 'NEW@x.test', 'new@x.test'],
    ['its tags', 'new+1@x.test', 'new@x.test'],
    ['a tag, under the same tag', 'new+1@x.test', 'new+1@x.test'],
    ['dots, where they mean nothing', 'n.e.w@gmail.com', 'new@gmail.com'],
    ['dots in the entry', 'new@gmail.com', 'N.E.W@gmail.com'.toLowerCase()],
    ['dots and a tag', 'n.ew+1@gmail.com', 'new@gmail.com'],
    ['the other name of the same mailbox', 'new@googlemail.com', 'n.ew@gmail.com'],
    ['the other name of the same domain', 'new@gmail.com', 'googlemail.com'],
    ['its domain', 'new@x.test', 'x.test'],
    ['a subdomain', 'new@mail.x.test', 'x.test'],
  ])('%s', (_title, email, entry) => {
    const blocked = { blocked: [entry], recipients: [ours, { ...known, email }] }
    for (const agent of [true, false]) {
      const given = { ...blocked, agent, allowed: [entry], agentSendPolicy: 'open' as const }
      expect(said(given)).toBe(`deny by blocked: ${email}`)
    }
  })

  test('a domain that only ends alike is not blocked', () =>
    expect(said({ agentSendPolicy: 'open', blocked: ['ex.test', 'x@x.test'] })).toBe('allow'))
  test('dots make another mailbox elsewhere, and another tag is not blocked with one', () => {
    const blocked = ['ne.w@x.test', 'new+2@x.test', 'new+2@gmail.com']
    for (const email of ['new@x.test', 'new+1@x.test', 'new@gmail.com']) {
      const recipients = [{ ...stranger, email }]
      expect(said({ agentSendPolicy: 'open', blocked, recipients })).toBe('allow')
    }
  })
})

test('every objection is told: who is blocked, who is not listed, who is new', () =>
  expect(
    said({
      sendPolicy: 'allowlist',
      blocked: ['y.test'],
      recipients: [ours, stranger, { ...stranger, email: 'bad@y.test' }],
    }),
  ).toBe(
    'deny by blocked: bad@y.test; deny by send_policy: new@x.test bad@y.test; review by new_recipient: new@x.test bad@y.test',
  ))
