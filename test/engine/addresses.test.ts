import { describe, expect, test } from 'vitest'
import { mailboxKey, parseEntry, readAddress, readAddresses } from '../../src/engine/addresses.ts'
import { ValidationFailed } from '../../src/engine/errors.ts'

describe('an address is read', () => {
  test.each([
    ['a@b', { email: 'a@b' }],
    ['  ada@example.test ', { email: 'ada@example.test' }],
    ['Ada.Lovelace+x@Example.TEST', { email: 'Ada.Lovelace+x@example.test' }],
    ['<ada@example.test>', { email: 'ada@example.test' }],
    ['Ada <ada@example.test>', { email: 'ada@example.test', name: 'Ada' }],
    ['Ada M. (Work)  <ada@example.test>', { email: 'ada@example.test', name: 'Ada M. (Work)' }],
    ['"Lovelace, Ada" <ada@example.test>', { email: 'ada@example.test', name: 'Lovelace, Ada' }],
    ['"say \\"hi\\"" <ada@example.test>', { email: 'ada@example.test', name: 'say "hi"' }],
    ['Jörg 山田 🦊 <j@example.test>', { email: 'j@example.test', name: 'Jörg 山田 🦊' }],
    ["o'brien@example.test", { email: "o'brien@example.test" }],
    ['a@bücher.example', { email: 'a@xn--bcher-kva.example' }],
    ['jörg@example.test', { email: 'jörg@example.test' }],
    ['Jörg.Müller+neu@Example.TEST', { email: 'Jörg.Müller+neu@example.test' }],
    ['jo\u0308rg@example.test', { email: 'jörg@example.test' }],
    ['用户 <用户@例子.test>', { email: '用户@xn--fsqu00a.test', name: '用户' }],
    ['दीपक@उदाहरण.test', { email: 'दीपक@xn--p1b6ci4b4b3a.test' }],
    ['دعم@example.test', { email: 'دعم@example.test' }],
    ['иван.2@example.test', { email: 'иван.2@example.test' }],
    [`${'ö'.repeat(32)}@ok.test`, { email: `${'ö'.repeat(32)}@ok.test` }],
  ])('%s', (text, address) => expect(readAddress(text)).toEqual(address))

  test.each([
    [{ email: 'a@b.test' }, { email: 'a@b.test' }],
    [{ email: 'a@B.test', name: null }, { email: 'a@b.test' }],
    [
      { email: 'a@b.test', name: 'x, y@z' },
      { email: 'a@b.test', name: 'x, y@z' },
    ],
  ])('from an object %j', (given, address) => expect(readAddress(given)).toEqual(address))
})

describe('refused, in words that show the value', () => {
  test.each([
    'a@ok.test,evil@z.test',
    'a@ok.test, evil@z.test',
    'a@ok.test;evil@z.test',
    'a@ok.test evil@z.test',
    '"a@ok x"@evil',
    '"a"@evil.test',
    'a@ok.test <evil@z.test>',
    'x, y <evil@z.test>',
    'Ada <a@ok.test> <evil@z.test>',
    'Ada <a@ok.test>, Eve <evil@z.test>',
    'friends: a@ok.test, evil@z.test;',
    'undisclosed-recipients:;',
    '@relay.test:a@ok.test',
    '<@relay.test,@b.test:a@ok.test>',
    'a%evil.test@ok.test',
    'evil.test!a@ok.test',
    'a@ok@evil.test',
    'a\u0000@ok.test',
    'a@ok.test\r\nBcc: evil@z.test',
    'a@ok.test\nevil@z.test',
    'Ada\r\nBcc: evil@z.test <a@ok.test>',
    'Ada\u2028 <a@ok.test>',
    'a(evil)@ok.test',
    'a@[127.0.0.1]',
    'a@127.0.0.1',
    'a@0x7f.1',
    'a@ok.test.',
    'a@.test',
    'a@-ok.test',
    'a@ok..test',
    'a@ok_.test',
    'a@%65vil.test',
    '.a@ok.test',
    'a.@ok.test',
    'a..b@ok.test',
    `${'ö'.repeat(33)}@ok.test`,
    `${'ö'.repeat(32)}@${'例'.repeat(20)}.${'例'.repeat(20)}.${'例'.repeat(20)}.${'例'.repeat(20)}`,
    'jörg,evil@z.test',
    'jörg@ok.test,evil@z.test',
    'jörg，evil@z.test',
    '"jörg"@ok.test',
    'jörg evil@ok.test',
    'jörg%z.test@ok.test',
    'jörg＠z.test@ok.test',
    'jörg＠z.test',
    'jö\u200brg@ok.test',
    'jö\u200drg@ok.test',
    'jö\u00adrg@ok.test',
    'jö\u034frg@ok.test',
    'jö\ufe0frg@ok.test',
    'jö\ufeffrg@ok.test',
    'jö\u2060rg@ok.test',
    'jö\u{e0061}rg@ok.test',
    'jö\u202erg@ok.test',
    'jö\u2066rg@ok.test',
    'jö\u061crg@ok.test',
    'jö\u0085rg@ok.test',
    'jö\u2028rg@ok.test',
    'jö\u00a0rg@ok.test',
    'jö\u3000rg@ok.test',
    '\u3164@ok.test',
    '\u115f@ok.test',
    'jö\u0378rg@ok.test',
    'jö\ue000rg@ok.test',
    'jö\uffffrg@ok.test',
    'jö\ud83drg@ok.test',
    'jö\ufffdrg@ok.test',
    '\u0308a@ok.test',
    'ö.\u0308a@ok.test',
    'ｊoerg@ok.test',
    'ﬁ@ok.test',
    '𝐚dmin@ok.test',
    'mar\u212a@ok.test',
    'Ⅳ@ok.test',
    '🦊@ok.test',
    '.ö@ok.test',
    'ö..ä@ok.test',
    `${'a'.repeat(65)}@ok.test`,
    `a@${'b'.repeat(64)}.test`,
    `a@${'b.'.repeat(130)}test`,
    '@ok.test',
    'a@',
    'a',
    '',
    'Ada <>',
  ])('%j', (text) => {
    const problem = readAddress(text)
    expect(problem).toBeTypeOf('string')
    expect(problem).not.toMatch(/\p{Cc}/u)
  })

  test.each([
    { email: 'Ada <a@ok.test>' },
    { email: 'a@ok.test', name: 'x\r\nBcc: evil@z.test' },
    { email: 'a@ok.test', name: 'x\u0000' },
    { email: 'a@ok.test', name: 'x'.repeat(257) },
  ])('an object %j', (given) => expect(readAddress(given)).toBeTypeOf('string'))
})

describe('a field of addresses', () => {
  test('takes one or many, in order, each mailbox once', () => {
    expect(readAddresses('a@b.test', 'to').addresses).toEqual([{ email: 'a@b.test' }])
    const { addresses } = readAddresses(['B@x.test', { email: 'a@x.test' }, 'b@X.test'], 'to')
    expect(addresses).toEqual([{ email: 'B@x.test' }, { email: 'a@x.test' }])
  })

  test('names the field and the index of each wrong item', () => {
    const { problems } = readAddresses(['a@b.test', 'nobody', 'x@y.test,z@y.test'], 'cc')
    expect(problems.map(({ field }) => field)).toEqual(['cc.1', 'cc.2'])
    expect(problems[1]?.message).toContain('its own item')
    expect(readAddresses('nobody', 'to').problems.map(({ field }) => field)).toEqual(['to'])
  })

  test('holds 50 addresses, not 51', () => {
    const many = (n: number) => Array.from({ length: n }, (_, i) => `a${i}@b.test`)
    expect(readAddresses(many(50), 'to').addresses).toHaveLength(50)
    expect(readAddresses(many(51), 'to').problems[0]?.message).toContain('at most 50')
  })
})

describe('a line of a list', () => {
  test.each([
    ['Ada@Example.test', 'ada@example.test'],
    ['Example.TEST', 'example.test'],
    ['@example.test', 'example.test'],
    ['JÖRG@Example.test', 'jörg@example.test'],
    ['JO\u0308RG@Example.test', 'jörg@example.test'],
    ['用户@例子.test', '用户@xn--fsqu00a.test'],
    ['@例子.test', 'xn--fsqu00a.test'],
  ])('%s', (text, entry) => expect(parseEntry(text, 'entries.0')).toBe(entry))

  test.each(['*', '*.test', 'a b', '', '@', 'a@b@c', 'a@b.test,c.test'])('refuses %j', (text) =>
    expect(() => parseEntry(text, 'entries.0')).toThrow(ValidationFailed),
  )
})

describe('two spellings of one mailbox have one key', () => {
  test.each([
    ['Ada@Example.test', 'ada@example.test'],
    ['用户@例子.TEST', '用户@xn--fsqu00a.test'],
    ['JO\u0308RG@x.test', 'jörg@x.test'],
    ['ΟΔΟΣ@x.test', 'οδος@x.test'],
    ['no address ö', 'no address ö'],
  ])('%s', (email, key) => expect(mailboxKey(email)).toBe(key))
})
