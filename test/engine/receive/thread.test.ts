import { expect, test } from 'vitest'
import { messageIdsIn } from '../../../src/engine/receive/message-ids.ts'
import {
  type Knowledge,
  placeOfMail,
  type ThreadFacts,
} from '../../../src/engine/receive/thread.ts'

type Threads = Record<string, `thr_${string}`>
type Facts = Record<string, Partial<ThreadFacts>>

const known = (threads: Threads, facts: Facts = {}): Knowledge => ({
  threadOf: (id) => threads[id],
  signedThreadOf: () => undefined,
  messageOf: () => null,
  factsOf: (id) => ({
    hasOutbound: false,
    participants: new Set(),
    keptApartFrom: new Set(),
    ...facts[id],
  }),
})
const ties = (over: object) => ({ messageId: null, inReplyTo: [], references: [], ...over })
const place = (over: object, knowledge: Knowledge, author: string | null = 'ann@example.com') =>
  placeOfMail(ties(over), author, knowledge)

test('the first tie names the match: In-Reply-To before References', () => {
  const found = place({ inReplyTo: ['<a@x>'], references: ['<b@x>'] }, known({ '<a@x>': 'thr_a' }))
  expect(found).toMatchObject({
    kind: 'joins',
    threadId: 'thr_a',
    method: 'in_reply_to',
    evidence: '<a@x>',
    merges: [],
    conflict: false,
  })
})

test('References are read from right to left: the nearest ancestor first', () => {
  const mail = { inReplyTo: ['<gone@x>'], references: ['<root@x>', '<near@x>'] }
  const threads = known({ '<root@x>': 'thr_1', '<near@x>': 'thr_1' })
  expect(place(mail, threads)).toMatchObject({ method: 'references', evidence: '<near@x>' })
})

test('a late parent joins the thread that mentioned it', () => {
  const found = place({ messageId: '<a@x>' }, known({ '<a@x>': 'thr_a' }))
  expect(found).toMatchObject({ threadId: 'thr_a', method: 'referenced_by', evidence: '<a@x>' })
})

test('a mail that names nothing known begins a thread', () => {
  expect(place({ messageId: '<a@x>', references: ['<b@x>'] }, known({}))).toEqual({ kind: 'new' })
})

test('a mail that ties threads joins them, and the oldest id stays', () => {
  const mail = { inReplyTo: ['<b@x>'], references: ['<a@x>', '<b@x>', '<c@x>'] }
  const found = place(mail, known({ '<a@x>': 'thr_2', '<b@x>': 'thr_3', '<c@x>': 'thr_1' }))
  expect(found).toMatchObject({ threadId: 'thr_1', merges: ['thr_2', 'thr_3'], conflict: false })
})

test('a stranger who learnt Message-IDs cannot weld two conversations of ours', () => {
  const threads = { '<a@x>': 'thr_1', '<b@x>': 'thr_2' } as const
  const ours = (...people: string[]) => ({ hasOutbound: true, participants: new Set(people) })
  const mail = { inReplyTo: ['<b@x>'], references: ['<a@x>'] }
  const held = known(threads, { thr_1: ours('bob@example.com'), thr_2: ours('ann@example.com') })
  for (const author of ['eve@example.com', 'ann@example.com', null]) {
    expect(place(mail, held, author)).toMatchObject({
      threadId: 'thr_2',
      merges: [],
      conflict: true,
    })
  }
  const both = known(threads, { thr_1: ours('ann@example.com'), thr_2: ours('ann@example.com') })
  expect(place(mail, both, 'Ann@Example.com')).toMatchObject({
    threadId: 'thr_1',
    merges: ['thr_2'],
    conflict: false,
  })
  const oneOurs = known(threads, { thr_1: ours('bob@example.com') })
  expect(place(mail, oneOurs, 'eve@example.com')).toMatchObject({ merges: ['thr_2'] })
})

test('threads that a person took apart stay two, and that is no conflict', () => {
  const threads = { '<a@x>': 'thr_1', '<b@x>': 'thr_2', '<c@x>': 'thr_3' } as const
  const mail = { inReplyTo: ['<b@x>'], references: ['<a@x>', '<c@x>', '<b@x>'] }
  const apart = { keptApartFrom: new Set(['thr_1'] as const) }
  const found = { kind: 'joins', threadId: 'thr_2', method: 'in_reply_to', conflict: false }
  expect(place(mail, known(threads, { thr_2: apart }))).toMatchObject({
    ...found,
    merges: ['thr_3'],
  })
  const theOther = { keptApartFrom: new Set(['thr_2'] as const) }
  expect(place(mail, known(threads, { thr_1: theOther }))).toMatchObject({
    ...found,
    merges: ['thr_3'],
  })
})

test('a signature of ours stands for a row that is missing; the own id of a mail does not', () => {
  const signed = (id: string): Knowledge => ({
    ...known({ '<a@x>': 'thr_1' }),
    signedThreadOf: (evidence) => (evidence === id ? 'thr_1' : undefined),
  })
  const tied = place({ inReplyTo: ['<gone@ours>'], references: ['<a@x>'] }, signed('<gone@ours>'))
  expect(tied).toMatchObject({ method: 'reply_token', evidence: '<gone@ours>', merges: [] })
  expect(place({ messageId: '<gone@ours>' }, signed('<gone@ours>'))).toEqual({ kind: 'new' })
})

test('an author who took no part before is said to be new', () => {
  const facts = { thr_1: { participants: new Set(['ann@example.com']) } }
  const held = known({ '<a@x>': 'thr_1' }, facts)
  const mail = { inReplyTo: ['<a@x>'] }
  expect(place(mail, held, 'ann@example.com')).toMatchObject({ newParticipant: false })
  expect(place(mail, held, 'eve@example.com')).toMatchObject({ newParticipant: true })
})

test('ids are found in whatever stands around them, each once', () => {
  expect(messageIdsIn('Your message of "Fri" <a@x>,\r\n <b@x> <a@x>')).toEqual(['<a@x>', '<b@x>'])
})

test('an id that was folded in the middle is the same id', () => {
  expect(messageIdsIn('<part.one\r\n .two@x>')).toEqual(['<part.one.two@x>'])
})

test('of a flood of references the root and the nearest are kept', () => {
  const flood = Array.from({ length: 500 }, (_, i) => `<${i}@x>`)
  const ids = messageIdsIn(flood.join(' '))
  expect(ids).toHaveLength(100)
  expect([ids[0], ids[1], ids.at(-1)]).toEqual(['<0@x>', '<401@x>', '<499@x>'])
})
