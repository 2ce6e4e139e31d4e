import { readdirSync, readFileSync } from 'node:fs'
import { type Duplex, duplexPair, PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { adviceOn } from '../../../src/doors/cli/advice.ts'
import { mcpLine } from '../../../src/doors/cli/mcp-line.ts'

const INITIALIZE = { jsonrpc: '2.0', id: 0, method: 'initialize', params: { clientInfo: 'me' } }
const INITIALIZED = { jsonrpc: '2.0', method: 'notifications/initialized' }
const call = (id: number | string, name: string, args: object = {}) => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name, arguments: args },
})
const answer = (id: unknown) => ({ jsonrpc: '2.0', id, result: {} })

/** A line with its client; servers are played by the test. */
function open() {
  const input = new PassThrough()
  const output = new PassThrough()
  const complaints: string[] = []
  const line = mcpLine(input, output, (text) => void complaints.push(text))
  return {
    line,
    input,
    complaints,
    says: (...frames: object[]) => write(input, frames),
    hears: () => read(output),
    attach() {
      const [near, far] = duplexPair()
      line.attach(near)
      return {
        far,
        gets: () => read(far),
        says: (...frames: object[]) => write(far, frames),
        async dies() {
          far.destroy()
          near.destroy()
          await line.lost()
        },
      }
    },
  }
}

function write(stream: PassThrough | Duplex, frames: object[]): void {
  for (const frame of frames) stream.write(`${JSON.stringify(frame)}\n`)
}

/** What has arrived once everything that is under way has. */
async function read(stream: PassThrough | Duplex): Promise<Record<string, unknown>[]> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
  const text: Buffer | null = stream.read()
  return (text?.toString() ?? '')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
}

test('what the client says before there is a server waits for one', async () => {
  const { says, attach, hears } = open()
  says(INITIALIZE, INITIALIZED)
  const server = attach()
  expect(await server.gets()).toEqual([INITIALIZE, INITIALIZED])
  server.says(answer(0))
  expect(await hears()).toEqual([answer(0)])
})

test('a new server is greeted as the first one was, and the client hears nothing of it', async () => {
  const { says, attach, hears } = open()
  const first = attach()
  says(INITIALIZE, INITIALIZED)
  await first.gets()
  first.says(answer(0))
  await hears()
  await first.dies()

  says(call(1, 'list_inboxes'))
  const second = attach()
  const [again, ...early] = await second.gets()
  expect(again).toMatchObject({ method: 'initialize', params: { clientInfo: 'me' } })
  expect(early).toEqual([])
  second.says(answer(again?.id))
  expect(await second.gets()).toEqual([INITIALIZED, call(1, 'list_inboxes')])
  second.says(answer(1))
  expect(await hears()).toEqual([answer(1)])
})

test('a client that was never greeted is introduced to nobody', async () => {
  const { says, attach } = open()
  const first = attach()
  says(call(1, 'list_inboxes'))
  await first.gets()
  await first.dies()
  says(call(2, 'list_inboxes'))
  expect(await attach().gets()).toEqual([call(2, 'list_inboxes')])
})

test('an unanswered greeting is sent again, since nobody has heard it', async () => {
  const { says, attach, hears } = open()
  const first = attach()
  says(INITIALIZE)
  await first.gets()
  await first.dies()
  expect(await attach().gets()).toEqual([INITIALIZE])
  expect(await hears()).toEqual([])
})

test.each([
  ['list_inboxes', {}, /^The server ended.*It is safe to repeat this call\.$/],
  ['send_email', {}, /may have been taken already.*where it is missing/],
  ['send_email', { idempotency_key: 'k' }, /It is safe to repeat this call\.$/],
  ['send_email', { dry_run: true }, /It is safe to repeat this call\.$/],
  ['create_draft', {}, /may have been made already.*list_drafts/],
  ['create_inbox', { client_id: 'c' }, /It is safe to repeat this call\.$/],
  ['create_inbox', {}, /safe to repeat this call.*taken.*list_inboxes/],
  ['a_tool_of_a_later_version', {}, /may have had its effect already/],
])('%s %o in flight is answered when its server dies', async (name, args, message) => {
  const { says, attach, hears } = open()
  const server = attach()
  says(call('a', name, args))
  await server.gets()
  await server.dies()
  expect(await hears()).toMatchObject([
    { id: 'a', error: { code: -32_000, message: expect.stringMatching(message) } },
  ])
})

test.each(goldenTools())('%s is safe to repeat as its hints say', (name, hints) => {
  const plain = adviceOn(call(1, name)) === 'It is safe to repeat this call.'
  const maker = name === 'create_inbox' || name === 'create_draft' || name === 'send_email'
  expect(plain).toBe(!maker)
  if (plain) expect(hints.readOnlyHint || hints.idempotentHint).toBe(true)
})

function goldenTools(): [string, { readOnlyHint?: boolean; idempotentHint?: boolean }][] {
  const folder = new URL('../../golden/tools/', import.meta.url)
  return readdirSync(folder).map((file) => {
    const { name, annotations } = JSON.parse(readFileSync(new URL(file, folder), 'utf8'))
    return [name, annotations]
  })
}

test('what a server says that is no frame never reaches the client', async () => {
  const { attach, hears, complaints } = open()
  const server = attach()
  server.far.write('Warning: something\n')
  server.says(answer(1))
  expect(await hears()).toEqual([answer(1)])
  expect(complaints).toHaveLength(1)
})

test('U+2028 inside a string does not end a line', async () => {
  const { says, attach } = open()
  const frame = call(1, 'send_email', { text_body: 'a\u2028b' })
  says(frame)
  expect(await attach().gets()).toEqual([frame])
})

test('the line has ended once the client has left and has had its answers', async () => {
  const { line, says, input, attach } = open()
  const server = attach()
  says(call(1, 'list_inboxes'))
  input.end()
  let ended = false
  void line.ended.then(() => {
    ended = true
  })
  await server.gets()
  expect(ended).toBe(false)
  server.says(answer(1))
  await line.ended
})
