import { Writable } from 'node:stream'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { createInbox } from '../../../src/engine/inboxes/operations.ts'
import { createLog } from '../../../src/platform/log.ts'
import { type NotifyWorld, notifyWorld } from './notify-world.ts'

let world: NotifyWorld
beforeAll(async () => {
  world = await notifyWorld()
})
afterEach(() => world.quit())
afterAll(() => world.close())

test('an empty webhook_url at creation is none, as it is in a change', async () => {
  const wish = { username: 'quiet', webhook_url: '' }
  const { id, address, webhook_url } = await createInbox.run(world.engine, world.owner, wish)
  expect(webhook_url).toBeNull()
  const inbox = { id, address, secret: '' } as Parameters<NotifyWorld['mail']>[0]
  await world.mail(inbox)
  await world.worker().settle()
  expect(await world.deliveries(inbox)).toEqual([])
})

test.each(['', 'nowhere', 'http://'])(
  'a stored URL %o fails its attempts and breaks no job',
  async (url) => {
    const inbox = await world.inbox('http://127.0.0.1:9/hook')
    await world.engine.db.query('UPDATE inboxes SET webhook_url = $2 WHERE id = $1', [
      inbox.id,
      url,
    ])
    const lines: { level: string; msg: string; outcome?: string; reason?: string }[] = []
    const stream = new Writable({
      write(chunk, _, done) {
        lines.push(JSON.parse(String(chunk)))
        done()
      },
    })
    const worker = world.worker({ engine: { log: createLog({ level: 'info', stream }) } })
    await world.mail(inbox)
    await worker.settle()
    for (const wait of [60, 300, 1800, 7200]) {
      world.clock.advance(wait * 1_000)
      await worker.settle()
    }
    expect(lines.filter(({ level }) => level === 'error')).toEqual([])
    expect(lines).toContainEqual(
      expect.objectContaining({ outcome: 'exhausted', reason: 'not an http or https URL' }),
    )
    for (const delivery of await world.deliveries(inbox)) {
      expect(delivery).toMatchObject({ status: 'failed' })
      expect(delivery.attempts).toHaveLength(5)
    }
  },
)
