import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Engine } from '../../../../src/engine/ports.ts'
import { noteOrganizations } from '../../../../src/engine/receive/rebuild/house.ts'
import { reindex } from '../../../../src/engine/receive/rebuild/reindex.ts'
import { deleteSuppression } from '../../../../src/engine/send/suppressions/operations.ts'
import {
  subscriptionOf,
  unsubscribe,
} from '../../../../src/engine/send/suppressions/unsubscribe.ts'
import { type EngineWorld, engineWorld } from '../../../world/engine.ts'
import { complaintAbout, report } from '../../send/reports.ts'
import { type SendWorld, sendWorld, type TestInbox } from '../../send/send-world.ts'

let old: SendWorld
let inbox: TestInbox
let fresh: EngineWorld
/** The new database, with the old raw store. */
let engine: Engine

beforeAll(async () => {
  old = await sendWorld()
  await noteOrganizations(old.engine)
  inbox = await old.inbox()
  fresh = await engineWorld({ clock: old.clock })
  engine = { ...fresh.engine, blobs: old.engine.blobs, settings: old.engine.settings }
})
afterAll(() => Promise.all([old.quit(), fresh.close()]))

async function sent(to: string) {
  const mail = { inbox_id: inbox.id, to, subject: 'News', text_body: 'Hi', list_unsubscribe: true }
  const { id } = await old.send(mail)
  await old.settle()
  return old.message(id)
}

/** The token of the link that went out. */
function tokenOf(to: string): string {
  const mail = old.relay.taken.find((taken) => taken.to.includes(to))
  const [, token = ''] = /\/unsubscribe\/([\w-]+)>/.exec(mail?.raw.toString() ?? '') ?? []
  return token
}

async function click(of: Engine, to: string) {
  const found = await subscriptionOf(of, tokenOf(to))
  if (found === undefined) throw new Error(`the link of ${to} is not known`)
  await unsubscribe(of, found.ours, found.email)
}

const listed = ({ db }: Engine) => db.prisma.suppressions.findMany({ orderBy: { email: 'asc' } })

test('who complained or unsubscribed stays on the list when the database is lost, and old links go on', async () => {
  for (const name of ['ann', 'bob', 'eve', 'late']) await sent(`${name}@x.test`)
  await click(old.engine, 'ann@x.test')
  await click(old.engine, 'ann@x.test')
  await click(old.engine, 'eve@x.test')
  await report(old, inbox, complaintAbout(await sent('bob@x.test')))
  await deleteSuppression.run(old.engine, old.owner, { inbox_id: inbox.id, email: 'eve@x.test' })
  const before = await listed(old.engine)
  expect(before.map(({ email, kind }) => `${email} ${kind}`)).toEqual([
    'ann@x.test unsubscribe',
    'bob@x.test complaint',
  ])
  const options = { signal: new AbortController().signal, onProgress: () => undefined }
  await reindex(engine, options)
  expect(await listed(engine)).toEqual(before)
  await click(engine, 'late@x.test')
  expect((await listed(engine)).at(-1)).toMatchObject({
    email: 'late@x.test',
    inbox_id: inbox.id,
  })
})
