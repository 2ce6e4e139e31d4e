import { setTimeout as pause } from 'node:timers/promises'
import { createTransport } from 'nodemailer'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { Json } from '../world/http.ts'
import { type Server, startServer } from '../world/server.ts'

/** `KILLS=200 npx vitest run test/journeys/crash-and-restart` is the long run: a quarter of an hour. */
const KILLS = Number(process.env.KILLS ?? 3)
const MAILS_A_KILL = KILLS > 10 ? 30 : 125
const MAILS = (KILLS + 1) * MAILS_A_KILL
const SENDERS = 20
/** The process is killed each time that so many more are acknowledged; the moment after that differs by up to this. */
const JITTER_MS = 40
const MINUTE = 60_000
const SEED = Number(process.env.TEST_SEED ?? 4711)
const PAGE = 100
const TO = 'hello@postroom.localhost'

vi.setConfig({ testTimeout: (3 + KILLS / 2) * MINUTE })

let server: Server
beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server?.close())

/** A moment after the acknowledgement, the same for the same seed (Park and Miller's generator). */
function moments(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 16_807) % 2_147_483_647
    return (state / 2_147_483_647) * JITTER_MS
  }
}

const idOf = (n: number) => `<storm-${n}@example.com>`
const rawOf = (n: number) =>
  [
    'From: storm@example.com',
    `To: ${TO}`,
    `Subject: Mail ${n}`,
    `Message-ID: ${idOf(n)}`,
    '',
    `The text of mail ${n}. ${'x'.repeat(n % 700)}`,
    '',
  ].join('\r\n')

interface Storm {
  acknowledged: Set<number>
  /** Mails that had to be sent again, since no answer came. */
  repeated: Set<number>
  /** Resolves when so many are acknowledged. */
  reached(count: number): Promise<void>
  /** Resolves when all are. */
  over: Promise<void>
}

/** Twenty senders that send a mail again, byte for byte, until it is acknowledged. */
function storm(up: () => Promise<unknown>): Storm {
  const left = Array.from({ length: MAILS }, (_, n) => n)
  const acknowledged = new Set<number>()
  const repeated = new Set<number>()
  const send = async (n: number) => {
    for (;;) {
      await up()
      const client = createTransport({ ...server.smtp, ignoreTLS: true })
      const sent = client.sendMail({
        envelope: { from: 'storm@example.com', to: TO },
        raw: rawOf(n),
      })
      const answered = await sent.then(
        () => true,
        () => false,
      )
      if (answered) return void acknowledged.add(n)
      repeated.add(n)
    }
  }
  const sender = async () => {
    for (let n = left.shift(); n !== undefined; n = left.shift()) await send(n)
  }
  return {
    acknowledged,
    repeated,
    reached: (count) =>
      vi
        .waitUntil(() => acknowledged.size >= count, { timeout: 120_000, interval: 1 })
        .then(() => {}),
    over: Promise.all(Array.from({ length: SENDERS }, sender)).then(() => {}),
  }
}

async function kept(): Promise<Json[]> {
  const all: Json[] = []
  for (let offset = 0, total = 1; offset < total; offset += PAGE) {
    const path = `/v1/agent/inboxes/${TO}/messages?limit=${PAGE}&offset=${offset}`
    const { body } = await server.call('GET', path)
    all.push(...body.data)
    total = body.pagination.total
  }
  return all
}

test(`kill -9, ${KILLS} times in ${MAILS} mails: each acknowledged one is there once (seed ${SEED})`, async () => {
  let up: Promise<unknown> = Promise.resolve()
  const { acknowledged, repeated, reached, over } = storm(() => up)
  const moment = moments(SEED)
  for (let kill = 1; kill <= KILLS; kill += 1) {
    await reached(kill * MAILS_A_KILL)
    await pause(moment())
    up = server.kill().then(() => server.restart())
    await up
  }
  await over
  expect(acknowledged.size).toBe(MAILS)
  // Else nothing was under way when it was killed.
  expect(repeated.size).toBeGreaterThan(0)

  const messages = await kept()
  const ids = messages.map(({ message_id_header }) => message_id_header)
  const there = new Set(ids)
  const lost = [...acknowledged].filter((n) => !there.has(idOf(n)))
  process.stderr.write(
    `crash and restart: ${KILLS} kills, ${acknowledged.size} acknowledged, ${repeated.size} sent again, lost ${lost.length}, doubled ${ids.length - there.size}\n`,
  )
  expect(ids.toSorted()).toEqual(Array.from({ length: MAILS }, (_, n) => idOf(n)).toSorted())
  const { body: threads } = await server.call('GET', `/v1/agent/inboxes/${TO}/threads?limit=1`)
  expect(threads.pagination.total).toBe(MAILS)
})

test('the bytes of each can be read, and are those that were sent', async () => {
  for (const { id, message_id_header } of await kept()) {
    const raw = await server.bytes(`/v1/agent/inboxes/${TO}/messages/${id}/raw`)
    const n = Number(/storm-(\d+)/.exec(message_id_header)?.[1])
    expect(raw.toString().endsWith(rawOf(n))).toBe(true)
  }
})
