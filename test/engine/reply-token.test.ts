import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import type { InboxId } from '../../src/engine/ids.ts'
import { withoutTag } from '../../src/engine/inboxes/find.ts'
import { withoutReplyTag } from '../../src/engine/messages/address.ts'
import {
  answeredBy,
  looksSigned,
  replyAddress,
  signedMessageId,
} from '../../src/engine/reply-token.ts'
import { idSuffix, newId } from '../../src/platform/ids.ts'

const now = new Date('2026-03-01T12:00:00Z')
const secret = randomBytes(32).toString('hex')
const inbox = { id: newId('inb', now), address: 'support@ours.test', domain: 'ours.test' }
const first = newId('msg', now)
const began = { messageId: first, threadId: `thr_${idSuffix(first)}` as const }
const answer = { messageId: newId('msg', now), threadId: began.threadId }

test('a Message-ID of ours says which mail and thread it is of, to who has the secret', () => {
  for (const mail of [began, answer]) {
    const id = signedMessageId(secret, inbox, mail)
    expect(id).toMatch(/^<[0-9a-z.]+@ours\.test>$/)
    expect(id.length).toBeLessThan(100)
    expect(answeredBy(secret, inbox.id, id)).toEqual(mail)
  }
  expect(signedMessageId(secret, inbox, began)).toMatch(/^<[0-9a-z]{26}\.[0-9a-z]{16}@/)
})

test('an address of ours says which mail it answers, in whatever letters', () => {
  const address = replyAddress(secret, inbox, answer.messageId) ?? ''
  expect(address).toMatch(/^support\+t-[0-9a-z]{36}@ours\.test$/)
  expect(withoutTag(address)).toBe(inbox.address)
  expect(withoutReplyTag({ email: address, name: 'Help' })).toEqual({
    email: inbox.address,
    name: 'Help',
  })
  for (const spelled of [address, address.toUpperCase()]) {
    expect(answeredBy(secret, inbox.id, spelled)?.messageId).toBe(answer.messageId)
  }
})

test('a local part has at most 64 octets: a longer inbox goes without', () => {
  const named = (local: string) => ({ id: inbox.id, address: `${local}@ours.test` })
  expect(replyAddress(secret, named('a'.repeat(25)), first)?.indexOf('@')).toBe(64)
  expect(replyAddress(secret, named('a'.repeat(26)), first)).toBeUndefined()
})

test('what was forged, signed for another inbox or with another secret is nothing', () => {
  const id = signedMessageId(secret, inbox, answer)
  const address = replyAddress(secret, inbox, first) ?? ''
  const other: InboxId = newId('inb', now)
  for (const evidence of [id, address]) {
    expect(looksSigned(evidence)).toBe(true)
    expect(answeredBy(secret, inbox.id, evidence)).toBeDefined()
    expect(answeredBy(secret, other, evidence)).toBeUndefined()
    expect(answeredBy(randomBytes(32).toString('hex'), inbox.id, evidence)).toBeUndefined()
    for (let at = evidence.search(/[0-9a-z]{26}/); evidence[at] !== '@'; at += 1) {
      const letter = evidence[at] === '0' ? '1' : '0'
      const forged = evidence.slice(0, at) + letter + evidence.slice(at + 1)
      expect(answeredBy(secret, inbox.id, forged), forged).toBeUndefined()
    }
  }
})

test('one kind of token is no token of the other kind', () => {
  const [, token = ''] = /\+t-(.*)@/.exec(replyAddress(secret, inbox, first) ?? '') ?? []
  const asId = `<${token.slice(0, 26)}.${token.slice(26)}000000@ours.test>`
  expect(answeredBy(secret, inbox.id, asId)).toBeUndefined()
})

test.each([
  '<a@x>',
  'support@ours.test',
  'support+tag@ours.test',
  '',
  '<>',
  'support+t-@ours.test',
])('%j is not even looked at', (evidence) => {
  expect(looksSigned(evidence)).toBe(false)
  expect(answeredBy(secret, inbox.id, evidence)).toBeUndefined()
})
