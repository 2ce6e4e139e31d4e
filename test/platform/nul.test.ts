import { expect, test } from 'vitest'
import { withoutNul } from '../../src/platform/nul.ts'

test('an escaped backslash before u0000 is no NUL', () => {
  expect(withoutNul('["\\\\u0000","\\u0000","\\\\\\u0000"]')).toBe(
    '["\\\\u0000","\\ufffd","\\\\\\ufffd"]',
  )
})

test('half of a surrogate pair in JSON becomes U+FFFD, a whole pair stays', () => {
  const cut = 'half \u{1F600}'.slice(0, -1)
  expect(withoutNul(JSON.stringify([cut, '\udc00x', '\u{1F600}']))).toBe(
    '["half \\ufffd","\\ufffdx","\u{1F600}"]',
  )
  const escaped = '["\\uD83D\\uDE00","\\\\ud800","\\ud800\\ud800"]'
  expect(withoutNul(escaped)).toBe('["\\uD83D\\uDE00","\\\\ud800","\\ufffd\\ufffd"]')
})

test('prose about the escape is left as it was written', () => {
  const prose = 'In JSON a NUL is \\u0000.'
  expect(withoutNul(prose)).toBe(prose)
  expect(withoutNul('{not json \\u0000')).toBe('{not json \\u0000')
})

test('a value without NUL is returned as the same object', () => {
  const value = { a: ['b', { c: 1 }], d: new Date(0), e: Buffer.from([0]) }
  expect(withoutNul(value)).toBe(value)
})

test('dates and bytes inside a changed object stay what they are', () => {
  const at = new Date(0)
  const bytes = Buffer.from([0, 1])
  expect(withoutNul({ text: '\0', at, bytes })).toEqual({ text: '\uFFFD', at, bytes })
})
