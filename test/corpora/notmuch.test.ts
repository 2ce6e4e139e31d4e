/** Our threads beside those of notmuch, over everything that the collections hold and a list's traffic with all its faults. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findAddresses } from '../../src/engine/inboxes/find.ts'
import { createInbox } from '../../src/engine/inboxes/operations.ts'
import { createReceiver, type Receiver } from '../../src/engine/receive/accept.ts'
import { type EngineWorld, engineWorld } from '../world/engine.ts'
import { listTraffic, numbers, type Traffic } from './list-traffic.ts'

const NOTMUCH = process.env.NOTMUCH ?? 'notmuch'
const corpora = process.env.POSTROOM_CORPORA ?? '../shared/corpora'
const TRAFFIC = 5_000
const SEED = Number(process.env.TEST_SEED ?? 20_261_122)
const BAR = 0.999
const TOGETHER = 50
const say = (line: string) => process.stderr.write(`notmuch: ${line}\n`)

const present = runs(['--version'])
if (!present) say('skipped, there is no notmuch')

function runs(args: string[]): boolean {
  try {
    execFileSync(NOTMUCH, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** The name of a thread for each mail. */
type Partition = Map<string, string>

let world: EngineWorld
let receiver: Receiver
let mails: Traffic[]
let truth: Partition

describe.skipIf(!present)('threads beside those of notmuch', () => {
  beforeAll(async () => {
    mails = [...collected(), ...listTraffic(TRAFFIC, SEED)]
    truth = threadsOfNotmuch(mails)
    mails = mails.filter(({ key }) => truth.has(key))
    const sizes = [...sizesOf(truth)]
    say(`${mails.length} mails, ${sizes.length} threads, the largest of ${Math.max(...sizes)}`)
    world = await engineWorld()
    receiver = createReceiver(world.engine)
  })
  afterAll(() => world?.close())

  test.each(['in file order', 'shuffled', 'reversed'] as const)('%s', async (order) => {
    const ours = await threadsOfOurs(arranged(mails, order))
    const { precision, recall, f1 } = compared(ours, truth)
    const threads = new Set(ours.values()).size
    say(`${order}: precision ${precision}, recall ${recall}, F1 ${f1}, ${threads} threads of ours`)
    for (const line of differences(ours, truth)) say(`  ${line}`)
    expect(f1).toBeGreaterThanOrEqual(BAR)
  })
})

function arranged(all: readonly Traffic[], order: 'in file order' | 'shuffled' | 'reversed') {
  if (order === 'in file order') return [...all]
  if (order === 'reversed') return all.toReversed()
  const random = numbers(SEED)
  return all
    .map((mail) => ({ mail, place: random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ mail }) => mail)
}

/** Every mail of the collections, those in mboxes one by one. */
function collected(): Traffic[] {
  const files = readdirSync(corpora, { recursive: true, encoding: 'utf8' }).sort()
  return files.flatMap((file) => {
    if (/\.mbox$/.test(file)) return mailsOf(file)
    if (!/\.(eml|msg)$/.test(file)) return []
    return [{ key: file, faults: ['of a collection'], raw: readFileSync(join(corpora, file)) }]
  })
}

function mailsOf(file: string): Traffic[] {
  const text = readFileSync(join(corpora, file), 'latin1')
  return text
    .split(/^From .*\n/m)
    .slice(1)
    .map((mail, n) => ({
      key: `${file} ${n}`,
      faults: ['of a collection'],
      raw: Buffer.from(mail, 'latin1'),
    }))
}

/** What notmuch takes for no mail is left out. */
function threadsOfNotmuch(all: readonly Traffic[]): Partition {
  const home = mkdtempSync(join(tmpdir(), 'postroom-notmuch-'))
  try {
    const store = join(home, 'mail')
    mkdirSync(store)
    all.forEach(({ raw }, n) => void writeFileSync(join(store, String(n)), raw))
    const config = join(home, 'config')
    writeFileSync(config, `[database]\npath=${store}\n[user]\nname=x\nprimary_email=x@x.test\n`)
    const notmuch = (...args: string[]) =>
      execFileSync(NOTMUCH, args, {
        env: { ...process.env, NOTMUCH_CONFIG: config, HOME: home },
        maxBuffer: 2 ** 30,
        stdio: ['ignore', 'pipe', 'ignore'],
      }).toString()
    notmuch('new', '--no-hooks', '--quiet')
    const shown = notmuch('show', '--format=json', '--body=false', '--exclude=false', '*')
    const partition: Partition = new Map()
    JSON.parse(shown).forEach((thread: unknown, number: number) => {
      for (const [, n] of JSON.stringify(thread).matchAll(/\/mail\/(\d+)"/g)) {
        partition.set(all[Number(n)]?.key ?? '', `n${number}`)
      }
    })
    return partition
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}

/** Through the receiving side as it is; a crowd at once now and then, as servers deliver. */
async function threadsOfOurs(all: readonly Traffic[]): Promise<Partition> {
  const { engine, owner } = world
  const username = `list${Math.random().toString(36).slice(2)}`
  const inbox = await createInbox.run(engine, owner, { username })
  const inboxes = await findAddresses(engine, [inbox.address])
  const envelope = { mail_from: 'list@example.com', rcpt_to: [inbox.address] }
  const ids = new Map<string, string>()
  for (let at = 0; at < all.length; at += TOGETHER) {
    const crowd = all.slice(at, at + TOGETHER).map(async ({ key, raw }) => {
      const [received] = await receiver.accept({ raw, envelope, peer: null, inboxes })
      ids.set(key, received?.message_id ?? '')
    })
    await Promise.all(crowd)
  }
  const rows = await engine.db.query<{ id: string; thread_id: string }>(
    'SELECT id, thread_id FROM messages WHERE inbox_id = $1',
    [inbox.id],
  )
  const threads = new Map(rows.map(({ id, thread_id }) => [id, thread_id]))
  return new Map([...ids].map(([key, id]) => [key, threads.get(id) ?? key]))
}

/** Of all pairs that one side puts together, how many the other does too. */
function compared(ours: Partition, theirs: Partition) {
  const pairs = (sizes: Iterable<number>) =>
    [...sizes].reduce((sum, n) => sum + (n * (n - 1)) / 2, 0)
  const both = new Map([...ours].map(([key, thread]) => [key, `${thread} ${theirs.get(key)}`]))
  const together = pairs(sizesOf(both))
  const precision = together / pairs(sizesOf(ours))
  const recall = together / pairs(sizesOf(theirs))
  return { precision, recall, f1: (2 * precision * recall) / (precision + recall) }
}

function sizesOf(partition: Partition): Iterable<number> {
  const sizes = new Map<string, number>()
  for (const thread of partition.values()) sizes.set(thread, (sizes.get(thread) ?? 0) + 1)
  return sizes.values()
}

/** Threads of theirs that are several of ours, and the other way round, with a mail of each and what was done to it. */
function differences(ours: Partition, theirs: Partition): string[] {
  const faults = new Map(mails.map((mail) => [mail.key, mail.faults.join(' and ') || 'nothing']))
  const split = (a: Partition, b: Partition, what: string) => {
    const parts = new Map<string, Map<string, string[]>>()
    for (const [key, thread] of a) {
      const part = parts.get(thread) ?? new Map<string, string[]>()
      parts.set(thread, part.set(b.get(key) ?? '', [...(part.get(b.get(key) ?? '') ?? []), key]))
    }
    return [...parts.values()]
      .filter((part) => part.size > 1)
      .map((part) => {
        const [, ...smaller] = [...part.values()].sort((x, y) => y.length - x.length)
        const of = smaller.map(
          ([key = '', ...more]) => `${key} (${faults.get(key)}) +${more.length}`,
        )
        return `${what}: ${of.join(', ')}`
      })
  }
  return [
    ...split(theirs, ours, 'one of theirs is several of ours'),
    ...split(ours, theirs, 'one of ours is several of theirs'),
  ]
}
