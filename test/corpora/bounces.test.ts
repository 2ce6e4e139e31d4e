import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readBounce } from '../../src/engine/receive/bounce/read.ts'

/** What a person wrote down of a mail, for each of the programs that recognise it. */
interface Written {
  addresses: string[]
  temporary: boolean
}
interface Truth {
  hand_written: Record<string, Written[]>
  library_output: Record<string, { temporary: string[]; permanent: string[] }>
}

const FLOOR = 95
/** Names of the mails that are no report of failure to anybody: news, a vacation note, an order. */
const NO_BOUNCES = ['qmail_08.txt', 'groupwise_03.txt']
/** Reports without an address in them: nobody may be made up. */
const NAME_NOBODY = ['bounce_01.txt', 'dumbass_01.txt', 'simple_43.txt']

const corpora = process.env.POSTROOM_CORPORA ?? join(import.meta.dirname, '../../../shared/corpora')
const folder = join(corpora, 'bounces')
const absent = !existsSync(folder)
if (absent) process.stderr.write(`bounces: skipped, there are no corpora at ${folder}\n`)
const print = (...lines: string[]) => process.stdout.write(`bounces: ${lines.join('\n  ')}\n`)
const mail = (file: string) => readFileSync(join(folder, 'flufl', file))
const key = (addresses: readonly string[]) =>
  [...new Set(addresses.map((address) => address.toLowerCase()))].sort().join(' ')
const truth = (): Truth => JSON.parse(readFileSync(join(folder, 'flufl-expected.json'), 'utf8'))

/**
 * The mails were made anonymous after the addresses had been written down: where the file does not
 * hold them, as many that the library of the set finds in it stand for them. Permanence is by hand.
 */
function wrongIn(file: string, { hand_written, library_output }: Truth): string | null {
  if (!existsSync(join(folder, 'flufl', file))) return 'the file is absent'
  const written = (hand_written[file] ?? []).filter(({ addresses }) => addresses.length > 0)
  const wanted = written.flatMap(({ addresses }) => addresses)
  const library = library_output[file] ?? { temporary: [], permanent: [] }
  const found = [...library.temporary, ...library.permanent]
  const right = [wanted, found.length === wanted.length ? found : wanted].map(key)
  const recipients = readBounce({ raw: mail(file) })?.recipients ?? []
  const told = key(recipients.map(({ email }) => email))
  if (!right.includes(told)) return `${right.join(' or ')} expected, got ${told || 'nobody'}`
  const temporary = written.some((one) => one.temporary)
  return recipients.every(({ permanent }) => permanent === !temporary) ? null : 'wrong permanence'
}

test.skipIf(absent)('bounces of many mail systems, by address and permanence', () => {
  const files = Object.keys(truth().hand_written)
  const wrong = files.flatMap((file) => {
    const why = wrongIn(file, truth())
    return why === null ? [] : [`${file}: ${why}`]
  })
  const right = files.length - wrong.length
  print(`${right} of ${files.length} right`, ...wrong)
  expect(files).toHaveLength(101)
  expect(right).toBeGreaterThanOrEqual(FLOOR)
})

test.skipIf(absent)('mail that is no bounce, and bounces that name nobody', () => {
  const called = [...NO_BOUNCES, ...NAME_NOBODY].filter((file) => readBounce({ raw: mail(file) }))
  print(`${called.length} false among ${NO_BOUNCES.length + NAME_NOBODY.length}`, ...called)
  expect(called).toEqual([])
})

/** Mail of lists, people and programs. */
const OTHER_MAIL = ['threading/notmuch-threading', 'mime/mime4j']
/** But this one, of a "Mail Administrator" and with a broken boundary, is. */
const TRUE_BOUNCE = /badbound\.msg$/

test.skipIf(absent)('mail of the other sets is no bounce', () => {
  const files = OTHER_MAIL.flatMap((name) =>
    readdirSync(join(corpora, name), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !/\.(?:xml|json|md|txt)$/.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name)),
  )
  const called = files.filter((file) => readBounce({ raw: readFileSync(file) }))
  print(`${called.length} of ${files.length} mails of other sets called bounces`, ...called)
  expect(called).toEqual([expect.stringMatching(TRUE_BOUNCE)])
})
