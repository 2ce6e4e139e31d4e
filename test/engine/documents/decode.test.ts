import { describe, expect, test } from 'vitest'
import { decodeText } from '../../../src/engine/documents/decode.ts'

const text = (bytes: Uint8Array) => {
  const read = decodeText(bytes)
  return read.kind === 'text' ? read.text : read.reason
}
const utf16be = (words: string) => Buffer.from(words, 'utf16le').swap16()

describe('the bytes of a text file', () => {
  test('are UTF-8 where that is valid, with or without a mark', () => {
    expect(text(Buffer.from('Rückgabe 返品'))).toBe('Rückgabe 返品')
    expect(text(Buffer.from('\ufeffRückgabe'))).toBe('Rückgabe')
  })

  test('are UTF-16 by their mark, or by the zero in every second byte', () => {
    expect(text(Buffer.from('\ufeffRückgabe', 'utf16le'))).toBe('Rückgabe')
    expect(text(utf16be('\ufeffRückgabe'))).toBe('Rückgabe')
    expect(text(Buffer.from('Returns are free', 'utf16le'))).toBe('Returns are free')
    expect(text(utf16be('Returns are free'))).toBe('Returns are free')
  })

  test('are windows-1252 where they are no UTF-8', () => {
    expect(text(Buffer.from([0x80, 0x20, 0x52, 0xfc, 0x63, 0x6b]))).toBe('€ Rück')
  })

  test('lose carriage returns and what nobody sees', () => {
    expect(text(Buffer.from('a\r\nb\rc'))).toBe('a\nb\nc')
    expect(text(Buffer.from('pay\u200b \u202etxt\u{e0041}\u{e0042} now'))).toBe('pay txt now')
  })

  test.each([
    ['', /holds no text/],
    [' \n\t', /holds no text/],
    ['%PDF-1.7 …', /PDF/],
    ['PK\u0003\u0004docx', /ZIP/],
    ['\u0001\u0002\u0003\u0004 x', /binary/],
  ])('are refused in words: %j', (content, reason) => {
    expect(text(Buffer.from(content))).toMatch(reason)
    expect(decodeText(Buffer.from(content)).kind).toBe('unreadable')
  })
})
