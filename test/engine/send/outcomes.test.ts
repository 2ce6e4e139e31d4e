/** What a server has said is written down whatever breaks beside it: a mail that was taken never goes out twice. */
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { HandOver, MailTransport } from '../../../src/engine/ports.ts'
import { type SendWorld, sendWorld, type TestInbox } from './send-world.ts'

const DAY = 86_400_000

let world: SendWorld
let inbox: TestInbox

beforeAll(async () => {
  world = await sendWorld()
})
beforeEach(async () => {
  inbox = await world.inbox()
  await world.calm()
})
afterAll(() => world.quit())

const send = (to: string) =>
  world.send({ inbox_id: inbox.id, to, subject: 'Hello', text_body: 'Hi' })

/** The jobs that are left get every chance to send again. */
async function settleForDays(over: { world?: MailTransport } = {}) {
  await world.settle(over)
  for (let days = 0; days < 4; days++) {
    world.clock.advance(DAY)
    await world.settle(over)
  }
}

test('a disk that is full loses no answer: what was taken is sent, and goes out once', async () => {
  const { blobs } = world.engine
  const full = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })
  const sent = [await send('a@x.test'), await send('b@y.test'), await send('c@z.test')]
  Object.assign(world.engine, { blobs: { ...blobs, putSidecar: () => Promise.reject(full) } })
  try {
    await settleForDays()
  } finally {
    Object.assign(world.engine, { blobs })
  }
  expect(world.relay.seen.map(({ to }) => to).sort()).toEqual([
    ['a@x.test'],
    ['b@y.test'],
    ['c@z.test'],
  ])
  for (const { id } of sent) {
    expect((await world.message(id)).status).toBe('sent')
    expect(await world.told(id)).toHaveLength(1)
  }
})

test('words that the database refuses are left out, and what they were about is written down', async () => {
  // Too long for an index, also when it is compressed: SQLSTATE 54000.
  const remoteId = `<${randomBytes(6_000).toString('base64url')}@x.test>`
  const handedOver: string[] = []
  const odd: MailTransport = {
    async send({ envelope }) {
      handedOver.push(...envelope.to)
      return envelope.to.map((to): HandOver => {
        const accepted = { kind: 'accepted' as const, code: 250, detail: 'Ok' }
        return to === 'odd@x.test' ? { ...accepted, remoteId } : accepted
      })
    },
    close: async () => undefined,
  }
  const [strange, usual] = [await send('odd@x.test'), await send('usual@y.test')]
  await settleForDays({ world: odd })
  expect(handedOver.sort()).toEqual(['odd@x.test', 'usual@y.test'])
  expect((await world.message(strange.id)).status).toBe('sent')
  expect(world.states(await world.message(usual.id))).toEqual(['usual@y.test sent 250 Ok'])
})
