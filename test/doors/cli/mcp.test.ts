import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { Client as ModernClient } from '@modelcontextprotocol/client'
import { StdioClientTransport as ModernTransport } from '@modelcontextprotocol/client/stdio'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import {
  dataFolder,
  endAll,
  type Folder,
  migratedFolder,
  PROGRAM,
  postroom,
  run,
} from '../../world/postroom.ts'

/** Each start opens a database; on a busy machine that takes a while. */
const PATIENCE_MS = 90_000
vi.setConfig({ testTimeout: PATIENCE_MS, hookTimeout: PATIENCE_MS })

const INITIALIZE = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'test', version: '1' },
  },
}
const INITIALIZED = { jsonrpc: '2.0', method: 'notifications/initialized' }
const call = (id: number, name: string, args: object = {}) => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name, arguments: args },
})

let folder: Folder
beforeAll(async () => {
  folder = await dataFolder()
})
afterEach(endAll)
afterAll(() => folder.remove())

const env = (more: Record<string, string> = {}) => ({ POSTROOM_DATA: folder.path, ...more })

/** A client that writes frames itself, so that every byte of the answer is seen. */
function talk(more: Record<string, string> = {}, args: string[] = []) {
  const program = postroom(['mcp', ...args], env(more))
  return {
    ...program,
    send: (...frames: object[]) => {
      for (const frame of frames) program.process.stdin.write(`${JSON.stringify(frame)}\n`)
    },
    /** The answer to a request. */
    async answer(id: number) {
      const [line] = await program.says(new RegExp(`^.*"id":${id}[,}].*$`, 'm'))
      return JSON.parse(line)
    },
  }
}

/** Every line of standard output is a JSON-RPC frame, and there is nothing besides. */
function framesIn(out: string): object[] {
  expect(out.endsWith('\n') || out === '').toBe(true)
  const frames = out
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line))
  for (const frame of frames) expect(frame).toMatchObject({ jsonrpc: '2.0' })
  return frames
}

describe('started as Claude Desktop starts it: working directory /, no environment', () => {
  test('greets, answers a call, says no secret, and ends with its client', async () => {
    const client = talk()
    client.send(INITIALIZE)
    expect(await client.answer(1)).toMatchObject({ result: { serverInfo: { name: 'postroom' } } })
    client.send(INITIALIZED, call(2, 'list_inboxes'))
    expect(await client.answer(2)).toMatchObject({
      result: { structuredContent: { data: [{ address: 'hello@postroom.localhost' }] } },
    })
    client.process.stdin.end()
    const { code, signal, out, err } = await client.ended
    expect({ code, signal }).toEqual({ code: 0, signal: null })
    expect(framesIn(out)).toHaveLength(2)
    expect(out + err).not.toMatch(/ait_/)
  })

  test('ends on SIGTERM while the client still holds its side open', async () => {
    const client = talk()
    client.send(INITIALIZE)
    await client.answer(1)
    expect(await client.stop('SIGTERM')).toMatchObject({ code: 0, signal: null })
  })

  test('a discovery probe of the newer era does not end it', async () => {
    const client = talk()
    const version = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' }
    client.send({ jsonrpc: '2.0', id: 7, method: 'server/discover', params: { _meta: version } })
    expect(await client.answer(7)).toBeDefined()
    client.send(INITIALIZE)
    expect(await client.answer(1)).toMatchObject({ result: { serverInfo: { name: 'postroom' } } })
    client.process.stdin.end()
    framesIn((await client.ended).out)
  })

  test('what is no frame is no answer either', async () => {
    const client = talk()
    client.process.stdin.write('hello\n[1]\n{"jsonrpc":"2.0"}\n')
    client.send(INITIALIZE)
    await client.answer(1)
    client.process.stdin.end()
    framesIn((await client.ended).out)
  })
})

test('a client that closes its side with its last question still gets the answer', async () => {
  const client = talk()
  client.send(INITIALIZE, INITIALIZED, call(2, 'list_inboxes'))
  client.process.stdin.end()
  expect(framesIn((await client.ended).out)).toHaveLength(2)
})

describe('what stands in the way is told by every call', () => {
  test.each([
    ['a wrong setting', { HTTP_PORT: 'many' }, /HTTP_PORT.*many.*port number/],
    ['a misspelt setting', { SMTP_PROT: '25' }, /SMTP_PROT.*SMTP_PORT/],
    ['an unreachable database', { DATABASE_URL: 'postgres://127.0.0.1:1/x' }, /DATABASE_URL/],
    [
      'an unknown key',
      { POSTROOM_API_KEY: `ait_${'0'.repeat(8)}-0000-0000-0000-${'0'.repeat(12)}` },
      /not known here/,
    ],
  ])('%s', async (_, more, message) => {
    const client = talk(more)
    client.send(INITIALIZE, INITIALIZED)
    expect(await client.answer(1)).toMatchObject({ result: { serverInfo: { name: 'postroom' } } })
    client.send(call(2, 'list_inboxes'), call(3, 'list_threads'))
    for (const id of [2, 3]) {
      const { result } = await client.answer(id)
      expect(result.isError).toBe(true)
      expect(result.content[0].text).toMatch(message)
    }
    client.process.stdin.end()
    framesIn((await client.ended).out)
  })

  test('a data folder that cannot be written', async () => {
    const file = join(dirname(folder.path), 'a-file')
    writeFileSync(file, '')
    const client = talk({ POSTROOM_DATA: join(file, 'data') })
    client.send(INITIALIZE, INITIALIZED, call(2, 'list_inboxes'))
    expect((await client.answer(2)).result.content[0].text).toMatch(/POSTROOM_DATA.*a-file/)
    client.process.stdin.end()
    framesIn((await client.ended).out)
  })
})

test('a port that is taken is replaced by a free one, named on stderr', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => other.once('listening', resolve))
  const address = other.address()
  const port = typeof address === 'object' && address ? `${address.port}` : ''
  const client = talk({ SMTP_PORT: port })
  client.send(INITIALIZE)
  await client.says(new RegExp(`port ${port} is taken; smtp listens on \\d+`), 'err')
  other.close()
  await client.stop('SIGTERM')
})

describe('several at once on one data folder', () => {
  test('the second relays to the first and takes over when that one dies', async () => {
    const first = talk()
    first.send(INITIALIZE, INITIALIZED, call(2, 'list_inboxes'))
    await first.answer(2)
    const second = talk()
    second.send(INITIALIZE, INITIALIZED, call(2, 'create_inbox', { username: 'relayed' }))
    expect((await second.answer(2)).result.structuredContent.address).toMatch(/^relayed@/)

    // Stopped, it takes the call and answers nothing: the call is in flight when it dies.
    first.process.kill('SIGSTOP')
    second.send(call(3, 'list_inboxes'))
    await new Promise((resolve) => setTimeout(resolve, 200))
    await first.stop('SIGKILL')
    expect(await second.answer(3)).toMatchObject({
      error: { message: expect.stringContaining('safe to repeat') },
    })
    second.send(call(4, 'list_inboxes'))
    const { result } = await second.answer(4)
    const addresses = result.structuredContent.data.map(
      (inbox: { address: string }) => inbox.address,
    )
    expect(addresses).toContain('relayed@postroom.localhost')
    second.process.stdin.end()
    const { code, out } = await second.ended
    expect(code).toBe(0)
    // One answer a request: the greeting that went to the new server was ours alone.
    expect(framesIn(out)).toHaveLength(4)
  })

  test('a running server serves them', async () => {
    const server = postroom(['serve'], env())
    await server.says(/is ready/)
    const client = talk()
    client.send(INITIALIZE, INITIALIZED, call(2, 'list_inboxes'))
    expect((await client.answer(2)).result.isError).toBeUndefined()
    expect(client.err()).toBe('')
    client.process.stdin.end()
    expect(await client.ended).toMatchObject({ code: 0 })
    await server.stop()
  })

  test.each([
    ['a client of the older era', olderClient],
    ['a client of the newer era', newerClient],
  ])('%s does not notice that its server was replaced', async (_, connect) => {
    const server = postroom(['serve'], env())
    await server.says(/is ready/)
    const client = await connect()
    const before = await client.callTool({ name: 'list_inboxes', arguments: {} })
    await server.stop()
    const after = await client.callTool({ name: 'list_inboxes', arguments: {} })
    await client.close()
    expect(after.isError).toBeUndefined()
    const inboxes = (answer: object) =>
      Object.entries(answer).flatMap(([name, value]) =>
        name === 'structuredContent' ? value.data : [],
      )
    expect(inboxes(before)).not.toEqual([])
    expect(inboxes(after)).toEqual(inboxes(before))
  })
})

test('the first key is left to the start that shows it', async () => {
  const fresh = await migratedFolder()
  const client = talk({ POSTROOM_DATA: fresh.path })
  client.send(INITIALIZE, INITIALIZED, call(2, 'list_inboxes'))
  await client.answer(2)
  await client.stop('SIGTERM')
  const server = postroom(['serve'], { POSTROOM_DATA: fresh.path })
  await server.says(/First API key[\s\S]*ait_/)
  await server.stop()
  await fresh.remove()
})

test('--url relays to a server elsewhere, with the key of the environment', async () => {
  const fresh = await migratedFolder()
  const server = postroom(['serve'], { POSTROOM_DATA: fresh.path })
  const [, base = ''] = await server.says(/HTTP +(http:\S+)/)
  const [key] = await server.says(/ait_[0-9a-f-]{36}/)
  const client = talk({ POSTROOM_API_KEY: key }, ['--url', base])
  client.send(INITIALIZE, INITIALIZED, call(2, 'list_inboxes'))
  expect((await client.answer(2)).result.structuredContent.data).toHaveLength(1)
  const wrong = talk({}, ['--url', `${base}/mcp`])
  wrong.send(INITIALIZE)
  expect((await wrong.answer(1)).error.message).toMatch(/401.*POSTROOM_API_KEY/)
  await server.stop()
  client.send(call(3, 'list_inboxes'))
  expect((await client.answer(3)).error.message).toMatch(/cannot be reached.*safe to repeat/)
  client.process.stdin.end()
  framesIn((await client.ended).out)
  await fresh.remove()
})

test('an unknown argument is told, not run', async () => {
  const { out, err } = await run(['mcp', '--prot', '1'], env())
  expect(framesIn(out)).toEqual([])
  expect(err).toMatch(/--prot/)
})

const started = () => ({
  command: process.execPath,
  args: ['--liftoff-only', PROGRAM, 'mcp'],
  env: { HTTP_PORT: '0', SMTP_PORT: '0', ...env() },
  stderr: 'ignore' as const,
})

async function olderClient() {
  const client = new Client({ name: 'older', version: '1' })
  await client.connect(new StdioClientTransport(started()))
  return client
}

async function newerClient() {
  const client = new ModernClient(
    { name: 'newer', version: '1' },
    { versionNegotiation: { mode: { pin: '2026-07-28' } } },
  )
  await client.connect(new ModernTransport(started()))
  return client
}
