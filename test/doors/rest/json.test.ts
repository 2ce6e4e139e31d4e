import { describe, expect, test } from 'vitest'
import { readJson } from '../../../src/doors/rest/json.ts'

const said = (text: string): string => {
  try {
    readJson(text)
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
  return 'nothing'
}

describe('broken JSON is named by line and column', () => {
  test.each([
    ['{"to": }', 'line 1, column 8: expected a value, found "}"'],
    ['{\n  "to": "a",\n}', 'line 3, column 1: no comma may stand before "}"'],
    ['{"to": ["a",]}', 'line 1, column 13: no comma may stand before "]"'],
    [
      "{'to': 1}",
      `line 1, column 2: expected a name in double quotes or "}", found "'"; strings stand in double quotes`,
    ],
    ['{to: 1}', 'line 1, column 2: expected a name in double quotes or "}", found "t"'],
    ['{"a" 1}', 'line 1, column 6: expected ":" after the name, found "1"'],
    ['{"a": 1 "b": 2}', 'line 1, column 9: expected "," or "}", found "\\""'],
    ['[1 2]', 'line 1, column 4: expected "," or "]", found "2"'],
    ['{"a": 1', 'line 1, column 8: the text ends where "," or "}" should be'],
    ['{"a": "b', 'line 1, column 7: the string is never closed by a double quote'],
    ['{"a": "b\nc"}', 'line 1, column 7: a line break or tab in a string is written \\n or \\t'],
    ['{"a": "\\x"}', 'line 1, column 7: the string has a wrong escape after a backslash'],
    ['{"a": "\\"}', 'line 1, column 7: the string is never closed by a double quote'],
    ['{"a": 01}', 'line 1, column 8: expected "," or "}", found "1"'],
    ['{} {}', 'line 1, column 4: expected nothing more, found "{"'],
    ['{"a": NaN}', 'line 1, column 7: expected a value, found "N"'],
  ])('%j', (text, reason) => expect(said(text)).toBe(`body: ${reason}`))
})

test('JSON that is right is read, brackets and escaped quotes in strings included', () => {
  const value = { a: [{ b: '[[[{"' }, -1.5e3, null, true], 'c\\': '\\\\"' }
  expect(readJson(JSON.stringify(value, null, 2))).toEqual(value)
})

test('brackets in strings do not count as depth, and 33 levels are too deep', () => {
  expect(readJson(JSON.stringify({ a: '['.repeat(1000) }))).toEqual({ a: '['.repeat(1000) })
  expect(readJson('['.repeat(32) + ']'.repeat(32))).toBeInstanceOf(Array)
  expect(said('['.repeat(33) + ']'.repeat(33))).toBe('body: is nested deeper than 32 levels')
})

test('a megabyte of opening brackets is refused at once', () => {
  const start = performance.now()
  expect(said('['.repeat(1_000_000))).toContain('nested deeper')
  expect(performance.now() - start).toBeLessThan(100)
})
