import addressparser from 'nodemailer/lib/addressparser/index.js'
import { expect, it } from 'vitest'
import { flatMailboxes } from '../../../../src/engine/receive/mime/mailboxes.js'

const PIECES =
  'a B _ . + - @ < > , " 9 x.y =?utf-8?q?A?= anna@example.com <anna@example.com>'.split(' ')

/** Of up to six pieces, blanks among them: every one is made once. */
function* values(): Generator<string> {
  let seed = 4711
  const upTo = (most: number) => {
    seed = (seed * 48_271) % 2_147_483_647
    return seed % most
  }
  for (let n = 0; n < 20_000; n += 1) {
    const pieces = Array.from({ length: 1 + upTo(6) }, () => PIECES[upTo(PIECES.length)])
    yield pieces.join(upTo(2) === 0 ? ' ' : '')
  }
}

it('plain mailboxes are read as the address parser reads them', () => {
  const read = (value: string) =>
    flatMailboxes(value).map(({ name, address }) => ({ name, address }))
  const parsed = (value: string) =>
    addressparser(value, { flatten: true }).map(({ name, address }) => ({ name, address }))
  for (const value of values()) expect(read(value), value).toEqual(parsed(value))
  expect(read('Anna Berg <anna@example.com>')).toEqual([
    { name: 'Anna Berg', address: 'anna@example.com' },
  ])
  expect(read('Team: a@b.example, "B" <b@b.example>;')).toEqual([
    { name: '', address: 'a@b.example' },
    { name: 'B', address: 'b@b.example' },
  ])
})
