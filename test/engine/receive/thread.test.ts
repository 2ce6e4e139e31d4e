import { expect, test } from 'vitest'
import { messageIdsIn } from '../../../src/engine/receive/message-ids.ts'
import { placeOfMail } from '../../../src/engine/receive/thread.ts'

const known = (threads: Record<string, `thr_${string}`>) => (id: string) => threads[id]
const ties = (over: object) => ({ messageId: null, inReplyTo: [], references: [], ...over })

test('In-Reply-To decides before References', () => {
  const mail = ties({ inReplyTo: ['<a@x>'], references: ['<b@x>'] })
  expect(placeOfMail(mail, known({ '<a@x>': 'thr_a', '<b@x>': 'thr_b' }))).toEqual({
    kind: 'joins',
    threadId: 'thr_a',
    method: 'in_reply_to',
    evidence: '<a@x>',
  })
})

test('References are read from right to left: the nearest ancestor first', () => {
  const mail = ties({ inReplyTo: ['<gone@x>'], references: ['<root@x>', '<near@x>'] })
  const threads = known({ '<root@x>': 'thr_root', '<near@x>': 'thr_near' })
  expect(placeOfMail(mail, threads)).toMatchObject({ threadId: 'thr_near', method: 'references' })
})

test('a second mail with the same Message-ID stands beside the first', () => {
  const mail = ties({ messageId: '<a@x>' })
  expect(placeOfMail(mail, known({ '<a@x>': 'thr_a' }))).toMatchObject({ threadId: 'thr_a' })
})

test('a mail that names nothing known begins a thread', () => {
  expect(placeOfMail(ties({ messageId: '<a@x>', references: ['<b@x>'] }), known({}))).toEqual({
    kind: 'new',
  })
})

test('ids are found in whatever stands around them, each once', () => {
  expect(messageIdsIn('Your message of "Fri" <a@x>,\r\n <b@x> <a@x>')).toEqual(['<a@x>', '<b@x>'])
})

test('of a flood of references the root and the nearest are kept', () => {
  const flood = Array.from({ length: 500 }, (_, i) => `<${i}@x>`)
  const ids = messageIdsIn(flood.join(' '))
  expect(ids).toHaveLength(100)
  expect([ids[0], ids[1], ids.at(-1)]).toEqual(['<0@x>', '<401@x>', '<499@x>'])
})
