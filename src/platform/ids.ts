/** Ids of everything we keep: a prefix that says what it is, then a UUIDv7, so they sort by age. */
import { randomBytes } from 'node:crypto'

export type IdPrefix =
  | 'org'
  | 'usr'
  | 'key'
  | 'inb'
  | 'thr'
  | 'msg'
  | 'att'
  | 'lbl'
  | 'doc'
  | 'chk'
  | 'dom'
  | 'whk'
  | 'dlv'
  | 'evt'
  | 'drf'
  | 'rev'
  | 'sup'
  | 'job'
  | 'aud'

export type Randomness = (bytes: number) => Uint8Array

const CROCKFORD = '0123456789abcdefghjkmnpqrstvwxyz'
const CROCKFORD_OF: string[] = []
for (const [value, letter] of [...CROCKFORD].entries()) {
  CROCKFORD_OF[value.toString(32).charCodeAt(0)] = letter
}
/** 128 bits at 5 bits a character; the first character carries 3 bits only. */
const SUFFIX_LENGTH = 26
/** Characters of the time: 3 bits, and 5 nine times. */
const TIME_LENGTH = 10
const SUFFIX = /^[0-7][0-9a-hjkmnp-tv-z]{25}$/
const PREFIX_LENGTH = 3

/** RFC 9562 §5.7: 48 bits of time, 4 of version, 12 of rand_a, 2 of variant, 62 of rand_b. */
const VERSION_7 = 7n << 76n
const VARIANT = 2n << 62n
const RAND_A_BITS = 62n
const RAND_B_MASK = (1n << 62n) - 1n
const RANDOM_BITS = 74n
const RANDOM_BYTES = 10
const POOL_BYTES = 10_240

/** RFC 9562 §6.2 method 2: inside one millisecond the random part counts up, so ids keep order. */
const last = { ms: -1, random: 0n }

/**
 * A new id: `thr_` + 26 characters of lower-case Crockford base32 of a UUIDv7.
 * Ids made by one process sort in the order they were made, also when the clock stands or falls back.
 * @param now time of making, millisecond precision
 */
export function newId<P extends IdPrefix>(
  prefix: P,
  now: Date,
  random: Randomness = fromPool,
): `${P}_${string}` {
  const ms = now.getTime()
  if (ms > last.ms) {
    last.ms = ms
    last.random = fresh(random)
  } else {
    last.random += 1n
    if (last.random >> RANDOM_BITS) {
      last.ms += 1
      last.random = fresh(random)
    }
  }
  return `${prefix}_${base32(uuid7(last.ms, last.random))}`
}

/** Asking the system for ten bytes costs as much as asking for a thousand times that. */
const pool = { bytes: randomBytes(0), at: 0 }

function fromPool(count: number): Uint8Array {
  if (pool.at + count > pool.bytes.length) {
    pool.bytes = randomBytes(POOL_BYTES)
    pool.at = 0
  }
  pool.at += count
  return pool.bytes.subarray(pool.at - count, pool.at)
}

/** The 26 characters behind the prefix; a thread's id has the suffix of its first message's id. */
export function idSuffix(id: string): string {
  return id.slice(PREFIX_LENGTH + 1)
}

/** When an id was made: the first 48 of its 128 bits. RFC 9562 §5.7. */
export function timeOfId(id: string): Date {
  const letters = [...idSuffix(id).slice(0, TIME_LENGTH)]
  return new Date(letters.reduce((ms, letter) => ms * 32 + CROCKFORD.indexOf(letter), 0))
}

/** Whether `value` is an id of this kind, in its one canonical spelling. */
export function isId<P extends IdPrefix>(prefix: P, value: unknown): value is `${P}_${string}` {
  return typeof value === 'string' && value.startsWith(`${prefix}_`) && SUFFIX.test(idSuffix(value))
}

function fresh(random: Randomness): bigint {
  const hex = Buffer.from(random(RANDOM_BYTES)).toString('hex')
  // The top bit stays clear: room to count up within the millisecond.
  return BigInt(`0x${hex}`) & ((1n << (RANDOM_BITS - 1n)) - 1n)
}

function uuid7(ms: number, random: bigint): bigint {
  const randA = random >> RAND_A_BITS
  return (BigInt(ms) << 80n) | VERSION_7 | (randA << 64n) | VARIANT | (random & RAND_B_MASK)
}

/** BigInt writes 0-9a-v; Crockford leaves i, l, o and u out. */
function base32(value: bigint): string {
  const digits = value.toString(32).padStart(SUFFIX_LENGTH, '0')
  let text = ''
  for (let i = 0; i < SUFFIX_LENGTH; i++) text += CROCKFORD_OF[digits.charCodeAt(i)]
  return text
}
