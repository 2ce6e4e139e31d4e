import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findAddresses } from '../../src/engine/inboxes/find.ts'
import { createInbox } from '../../src/engine/inboxes/operations.ts'
import { createReceiver, type Receiver } from '../../src/engine/receive/accept.ts'
import { type EngineWorld, engineWorld } from '../world/engine.ts'

const folder = join(process.env.POSTROOM_CORPORA ?? '../shared/corpora', 'threading')
const present = existsSync(folder)
if (!present) process.stderr.write(`threading: skipped, there are no corpora at ${folder}\n`)

interface Collection {
  name: string
  mails: { key: string; raw: Buffer }[]
  truth: string[][]
}

let world: EngineWorld
let receiver: Receiver

describe.skipIf(!present)('threads of outside collections', () => {
  beforeAll(async () => {
    world = await engineWorld()
    receiver = createReceiver(world.engine)
  })
  afterAll(() => world.close())

  const ORDERS: Record<string, <T>(mails: T[]) => T[]> = {
    'in file order': (mails) => mails,
    reversed: (mails) => mails.toReversed(),
    shuffled: (mails) => shuffle(mails),
  }

  test.each(present ? collections() : [])(
    '$name: the partition is the truth in any order',
    async (all) => {
      for (const [order, arrange] of Object.entries(ORDERS)) {
        const found = await partition(arrange(all.mails))
        expect(found, order).toEqual(canonical(all.truth))
      }
      process.stdout.write(
        `threading ${all.name}: ${all.mails.length} mails, ${all.truth.length} threads, right in 3 orders\n`,
      )
    },
  )
})

async function partition(mails: Collection['mails']): Promise<string[][]> {
  const { engine, owner } = world
  const inbox = await createInbox.run(engine, owner, {
    username: `c${Math.random().toString(36).slice(2)}`,
  })
  const inboxes = await findAddresses(engine, [inbox.address])
  const messages: { key: string; id: string }[] = []
  for (const { key, raw } of mails) {
    const [received] = await receiver.accept({
      raw,
      envelope: { mail_from: 'list@example.com', rcpt_to: [inbox.address] },
      peer: { ip: '127.0.0.1', helo: 'localhost', tls: false },
      inboxes,
    })
    messages.push({ key, id: received?.message_id ?? '' })
  }
  const rows = await engine.db.prisma.messages.findMany({ where: { inbox_id: inbox.id } })
  const threads = new Map<string, string[]>()
  for (const { key, id } of messages) {
    const thread = rows.find((row) => row.id === id)?.thread_id ?? 'none'
    threads.set(thread, [...(threads.get(thread) ?? []), key])
  }
  return canonical([...threads.values()])
}

const canonical = (threads: string[][]) =>
  threads
    .map((thread) => thread.toSorted())
    .toSorted((a, b) => ((a[0] ?? '') < (b[0] ?? '') ? -1 : 1))

function shuffle<T>(mails: T[]): T[] {
  let seed = 20_261_122
  const next = () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31
    return seed
  }
  return mails
    .map((mail) => ({ mail, place: next() }))
    .sort((a, b) => a.place - b.place)
    .map(({ mail }) => mail)
}

function collections(): Collection[] {
  const imap = JSON.parse(readFileSync(join(folder, 'imaptest', 'expected.json'), 'utf8')) as {
    mbox: string
    threads: number[][]
  }[]
  return [notmuch(), ...imap.map(({ mbox, threads }) => ofMbox(mbox, threads))]
}

function notmuch(): Collection {
  const home = join(folder, 'notmuch-threading')
  const mails = readdirSync(join(home, 'msgs')).map((file) => ({
    key: file.replace('.eml', ''),
    raw: readFileSync(join(home, 'msgs', file)),
  }))
  const truth = JSON.parse(readFileSync(join(home, 'notmuch-threads.json'), 'utf8'))
  return { name: 'notmuch', mails, truth }
}

function ofMbox(mbox: string, threads: number[][]): Collection {
  const text = readFileSync(join(folder, 'imaptest', mbox), 'latin1')
  const mails = text
    .split(/^From .*\n/m)
    .slice(1)
    .map((mail, i) => ({
      key: String(i + 1),
      raw: Buffer.from(mail.replace(/\n/g, '\r\n'), 'latin1'),
    }))
  const truth = threads.map((thread) => thread.map(String))
  return { name: mbox, mails, truth }
}
