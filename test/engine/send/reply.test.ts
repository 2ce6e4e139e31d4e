import { describe, expect, test } from 'vitest'
import {
  othersOnMessage,
  recipientsOfReply,
  subjectOfForward,
  subjectOfReply,
  threadingHeaders,
} from '../../../src/engine/send/reply.ts'

const mail = {
  direction: 'inbound' as const,
  from: { email: 'ada@x.test', name: 'Ada' },
  to: [{ email: 'us@ours.test' }],
  cc: [],
  reply_to: [],
  in_reply_to: null,
  references: [],
  message_id_header: '<1@x.test>',
}

describe('who is answered', () => {
  test('the author', () => expect(recipientsOfReply(mail)).toEqual([mail.from]))
  test('where the author asks for it, elsewhere', () => {
    const reply_to = [{ email: 'tickets@x.test' }]
    expect(recipientsOfReply({ ...mail, reply_to })).toEqual(reply_to)
  })
  test('the recipients, where the mail is ours', () =>
    expect(recipientsOfReply({ ...mail, direction: 'outbound' })).toEqual(mail.to))
  test('nobody, where there is no author', () =>
    expect(recipientsOfReply({ ...mail, from: null })).toEqual([]))
})

test.each([
  ['Hello', 'Re: Hello'],
  ['Re: Hello', 'Re: Hello'],
  ['RE : Hello', 'RE : Hello'],
  ['re[3]: Hello', 're[3]: Hello'],
  ['Report', 'Re: Report'],
  ['AW: Angebot', 'AW: Angebot'],
  ['回复：你好', '回复：你好'],
  ['Re(2): Hello', 'Re(2): Hello'],
  ['Fwd: Hello', 'Re: Fwd: Hello'],
  ['Reserve: now', 'Re: Reserve: now'],
  ['', 'Re:'],
])('the answer to %j has the subject %j', (subject, answer) =>
  expect(subjectOfReply(subject)).toBe(answer),
)

test.each([
  ['Hello', 'Fwd: Hello'],
  ['FW: Hello', 'FW: Hello'],
  ['WG: Angebot', 'WG: Angebot'],
  ['Re: Hello', 'Fwd: Re: Hello'],
  ['', 'Fwd:'],
])('the forward of %j has the subject %j', (subject, forward) =>
  expect(subjectOfForward(subject)).toBe(forward),
)

describe('who else is on a message', () => {
  const isSelf = (email: string) => email === 'us@ours.test'
  const cc = [{ email: 'bob@x.test' }]
  test('everybody in To and Cc but ourselves', () =>
    expect(
      othersOnMessage({ ...mail, to: [...mail.to, { email: 'eve@x.test' }], cc }, isSelf),
    ).toEqual([{ email: 'eve@x.test' }, { email: 'bob@x.test' }]))
  test('where the mail is ours, who had a copy', () =>
    expect(othersOnMessage({ ...mail, direction: 'outbound', cc }, isSelf)).toEqual(cc))
})

describe('In-Reply-To and References (RFC 5322 §3.6.4)', () => {
  test('a new mail has none', () =>
    expect(threadingHeaders(undefined, undefined)).toEqual({ inReplyTo: null, references: [] }))
  test('the chain of the parent, and the parent', () => {
    const parent = { ...mail, references: ['<a@x.test>', '<b@x.test>'], in_reply_to: '<b@x.test>' }
    expect(threadingHeaders(parent, undefined)).toEqual({
      inReplyTo: '<1@x.test>',
      references: ['<a@x.test>', '<b@x.test>', '<1@x.test>'],
    })
  })
  test('the parent’s In-Reply-To stands in for References it has not', () =>
    expect(threadingHeaders({ ...mail, in_reply_to: '<b@x.test>' }, undefined).references).toEqual([
      '<b@x.test>',
      '<1@x.test>',
    ]))
  test('a parent without an id gives its chain alone', () =>
    expect(
      threadingHeaders({ ...mail, references: ['<a@x.test>'], message_id_header: null }, undefined),
    ).toEqual({ inReplyTo: null, references: ['<a@x.test>'] }))
  test('an id of our own comes last, each id once', () => {
    const parent = { ...mail, references: ['<a@x.test>', '<1@x.test>'] }
    expect(threadingHeaders(parent, '<own@ours.test>').references).toEqual([
      '<a@x.test>',
      '<1@x.test>',
      '<own@ours.test>',
    ])
    expect(threadingHeaders(undefined, '<own@ours.test>').references).toEqual(['<own@ours.test>'])
  })
  test('ids that no mail of ours can carry are left out', () => {
    const references = [
      '<ä@x.test>',
      `<${'a'.repeat(950)}@x.test>`,
      '<a\u0007@x.test>',
      '<ok@x.test>',
    ]
    expect(threadingHeaders({ ...mail, references }, undefined).references).toEqual([
      '<ok@x.test>',
      '<1@x.test>',
    ])
  })
  test('a chain without end keeps its root and the nearest 99', () => {
    const references = Array.from({ length: 500 }, (_, i) => `<${i}@x.test>`)
    const chain = threadingHeaders(
      { ...mail, references, message_id_header: '<p@x.test>' },
      undefined,
    )
    expect(chain.references).toHaveLength(100)
    expect(chain.references[0]).toBe('<0@x.test>')
    expect(chain.references.slice(-2)).toEqual(['<499@x.test>', '<p@x.test>'])
  })
})
