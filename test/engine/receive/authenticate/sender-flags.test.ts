import { describe, expect, test } from 'vitest'
import { senderFlags } from '../../../../src/engine/receive/authenticate/sender-flags.ts'

const flagsOf = (...fields: string[]) =>
  senderFlags(
    fields.map((line) => ({ key: line.slice(0, line.indexOf(':')).trim().toLowerCase(), line })),
  )

describe('an honest sender has no flag', () => {
  test.each([
    ['a name and an address', 'From: Ada Lovelace <ada@example.com>'],
    ['an address alone', 'From: ada@example.com'],
    ['the same address as name', 'From: "ada@example.com" <ada@example.com>'],
    ['the same address as name, in other letters', 'From: "ADA@Example.com" <ada@example.com>'],
    ['a folded field', 'From: Ada\r\n Lovelace\r\n <ada@example.com>'],
    ['an encoded name', 'From: =?utf-8?Q?J=C3=BCrgen_M=C3=BCller?= <j@example.de>'],
    ['a Russian name', 'From: Иван Петров <ivan@example.com>'],
    ['a Russian name beside a Latin word', 'From: Иван Петров (Sales) <ivan@example.com>'],
    ['a Greek name beside a Latin word', 'From: Γιώργος, Acme <g@example.com>'],
    ['a Japanese name with Latin letters', 'From: 山田カナyamada <y@example.co.jp>'],
    ['a Persian name with a joiner', 'From: می\u200cنا <m@example.com>'],
    ['an emoji of several parts', 'From: 👩\u200d💻\ufe0f Ada <ada@example.com>'],
    ['a Cyrillic domain', 'From: a@почта.рф'],
    ['a German domain', 'From: a@müller.de'],
  ])('%s', (_, from) => expect(flagsOf(from)).toEqual([]))

  test('answers to another host of the same organization', () => {
    expect(flagsOf('From: a@mail.example.co.uk', 'Reply-To: b@help.example.co.uk')).toEqual([])
  })
})

describe('what is odd is named', () => {
  test.each([
    ['no_sender', ['Subject: hello']],
    ['no_sender', ['From: Ada Lovelace']],
    ['multiple_from', ['From: a@example.com', 'From: a@example.com']],
    ['multiple_from', ['From: a@example.com', 'FROM : a@example.com']],
    ['several_senders', ['From: a@example.com, b@example.com']],
    ['several_senders', ['From: us: a@example.com, b@example.com;']],
    ['address_in_name', ['From: "ceo@bank.example" <x@evil.example>']],
    ['address_in_name', ['From: =?utf-8?B?Y2VvQGJhbmsuZXhhbXBsZQ==?= <x@evil.example>']],
    ['address_in_name', ['From: "ceo＠bank.example" <x@evil.example>']],
    ['mixed_script', ['From: Pаypal <x@evil.example>']],
    ['mixed_script', ['From: Рауса Support <x@evil.example>']],
    ['mixed_script', ['From: x@pаypal.example']],
    ['mixed_script', ['From: x@xn--80ak6aa92e.com']],
    ['hidden_characters', ['From: Ada \u202egro.knab <x@evil.example>']],
    ['hidden_characters', ['From: B\u200bank <x@evil.example>']],
    ['reply_to_other_domain', ['From: a@example.com', 'Reply-To: a@example.net']],
    ['reply_to_other_domain', ['From: a@one.github.io', 'Reply-To: a@two.github.io']],
    ['reply_to_other_domain', ['From: a@example.com', 'Reply-To: a@example.com, b@example.net']],
  ])('%s: %j', (flag, fields) => expect(flagsOf(...fields)).toEqual([flag]))

  test('several at once, each once', () => {
    expect(
      flagsOf(
        'From: "ceo@bank.example" <x@evil.example>, y@evil.example',
        'From: z@evil.example',
        'Reply-To: elsewhere@example.net',
      ),
    ).toEqual(['multiple_from', 'several_senders', 'address_in_name', 'reply_to_other_domain'])
  })
})

test('a field of a megabyte takes no time', () => {
  const before = performance.now()
  flagsOf(`From: ${'<"(a@b '.repeat(150_000)}`, `Reply-To: ${'аa,'.repeat(300_000)}`)
  expect(performance.now() - before).toBeLessThan(500)
})
