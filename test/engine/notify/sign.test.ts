import { createHmac, timingSafeEqual } from 'node:crypto'
import { expect, test } from 'vitest'
import { newWebhookSecret } from '../../../src/engine/inboxes/webhook-secret.ts'
import { signatureHeaders } from '../../../src/engine/notify/sign.ts'

const body = '{"event":"email.received","data":{"subject":"Grüße ✉"}}'
const at = new Date('2026-03-01T12:00:00.900Z')
const secret = newWebhookSecret()
const headers = signatureHeaders(secret, { id: 'evt_1', at, body })

test('a secret is whsec_ and 32 random bytes, never the same', () => {
  expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/)
  expect(newWebhookSecret()).not.toBe(secret)
})

test('the verification of the AIThreads documentation accepts the signature', () => {
  const expected = `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`
  const given = headers['x-aithreads-signature'] ?? ''
  expect(timingSafeEqual(Buffer.from(given), Buffer.from(expected))).toBe(true)
})

test('the AgentSend signature is the same in bare hex', () => {
  expect(headers['x-agentsend-signature']).toMatch(/^[0-9a-f]{64}$/)
  expect(headers['x-aithreads-signature']).toBe(`sha256=${headers['x-agentsend-signature']}`)
})

test('the Standard Webhooks signature is keyed with the decoded bytes, over id, time and body', () => {
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64')
  expect(key).toHaveLength(32)
  const signed = `evt_1.${headers['webhook-timestamp']}.${body}`
  const expected = createHmac('sha256', key).update(signed, 'utf8').digest('base64')
  expect(headers['webhook-signature']).toBe(`v1,${expected}`)
  expect(headers['webhook-id']).toBe('evt_1')
})

test('the timestamp is whole seconds', () => {
  expect(headers['webhook-timestamp']).toBe('1772366400')
})

test.each([
  ['body', { id: 'evt_1', at, body: `${body} ` }],
  ['id', { id: 'evt_2', at, body }],
  ['time', { id: 'evt_1', at: new Date(at.getTime() + 1000), body }],
])('another %s has another signature', (_what, other) => {
  const changed = signatureHeaders(secret, other)['webhook-signature']
  expect(changed).not.toBe(headers['webhook-signature'])
})
