import { expect, test } from 'vitest'
import { idSuffix, isId, newId } from '../../src/platform/ids.ts'

const MARCH = new Date('2026-03-01T00:00:00Z')

/** The 128 bits behind the prefix, as an ordinary UUID in hex. */
function uuidOf(id: string): string {
  const bits = [...idSuffix(id)].reduce(
    (sum, char) => sum * 32n + BigInt('0123456789abcdefghjkmnpqrstvwxyz'.indexOf(char)),
    0n,
  )
  return bits.toString(16).padStart(32, '0')
}

test('an id is its prefix and a UUIDv7 of the given time', () => {
  const id = newId('thr', new Date('2100-01-01T00:00:00Z'), (bytes) => Buffer.alloc(bytes, 0xff))
  expect(id).toMatch(/^thr_[0-9a-hjkmnp-tv-z]{26}$/)
  const uuid = uuidOf(id)
  expect(Number.parseInt(uuid.slice(0, 12), 16)).toBe(Date.parse('2100-01-01T00:00:00Z'))
  expect(uuid[12]).toBe('7')
  expect(uuid[16]).toMatch(/[89ab]/)
})

test('ids sort in the order they were made, also within a millisecond and when the clock falls back', () => {
  const later = new Date('2100-01-02T00:00:00Z')
  const made = Array.from({ length: 5_000 }, (_, i) => newId('msg', i % 3 ? MARCH : later))
  expect([...made].sort()).toEqual(made)
  expect(new Set(made).size).toBe(made.length)
})

test('ids of different milliseconds sort by time whatever the randomness', () => {
  const at = Date.parse('2100-02-01T00:00:00Z')
  const first = newId('evt', new Date(at), (bytes) => Buffer.alloc(bytes, 0xff))
  const second = newId('evt', new Date(at + 1), (bytes) => Buffer.alloc(bytes, 0))
  expect(second > first).toBe(true)
})

test('only the one spelling of an id of its kind is an id', () => {
  const id = newId('inb', MARCH)
  expect(isId('inb', id)).toBe(true)
  const others = [id.toUpperCase(), id.slice(0, -1), `${id}0`, `inb_${'z'.repeat(26)}`, 'inb_', 7]
  for (const value of [...others, id.replace('inb', 'thr')]) expect(isId('inb', value)).toBe(false)
})
