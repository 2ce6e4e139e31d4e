import { spawnSync } from 'node:child_process'
import { mkdirSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { createTransport } from 'nodemailer'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import {
  dataFolder,
  endAll,
  type Folder,
  migratedFolder,
  type Postroom,
  postroom,
  run,
} from '../../world/postroom.ts'

const READY = /is ready[\s\S]*curl smtp:.*\n/
/** Each start opens a database; on a busy machine that takes a while. */
const PATIENCE_MS = 90_000
const KEY = /ait_[0-9a-f-]{36}/

vi.setConfig({ testTimeout: PATIENCE_MS, hookTimeout: PATIENCE_MS })

let folder: Folder
beforeAll(async () => {
  folder = await dataFolder()
})
afterAll(async () => {
  await endAll()
  await folder.remove()
})

interface Answer {
  scopes: string[]
  inboxes: object[]
  key: object
  data: { subject: string }[]
}

const env = (more: Record<string, string> = {}) => ({ POSTROOM_DATA: folder.path, ...more })

async function api(server: Postroom, path: string, key: string) {
  const [, base] = await server.says(/HTTP\s+(http:\S+)/)
  const answer = await fetch(`${base}${path}`, { headers: { authorization: `Bearer ${key}` } })
  return { status: answer.status, body: (await answer.json()) as Answer }
}

function configurationIn(out: string) {
  const [json = ''] = /^\{\n[\s\S]*?^\}/m.exec(out) ?? []
  return JSON.parse(json).mcpServers.postroom
}

describe('the first start and the second', () => {
  let first: Postroom
  let key: string

  beforeAll(async () => {
    first = postroom(['serve'], env())
    await first.says(READY)
    key = KEY.exec(first.out())?.[0] ?? ''
  })
  afterAll(() => first.stop())

  test('says how mail leaves, who can write, and where the data is', () => {
    const lines = first.out().split('\n')
    expect(lines).toContain('Outgoing mail: kept, not sent (set SMTP_RELAY_URL)')
    expect(lines).toContain(
      'Sandbox: mail from this machine only; for real mail a domain, MX and port 25: postroom doctor',
    )
    expect(lines).toContain(`Data: ${folder.path} (stop, delete it, start anew)`)
    expect(first.out()).toContain('hello@postroom.localhost')
  })

  test('shows a first key that may do everything', async () => {
    const { status, body } = await api(first, '/v1/auth/me', key)
    expect(status).toBe(200)
    expect(body.scopes).toContain('org:admin')
    expect(body.inboxes).toMatchObject([{ address: 'hello@postroom.localhost' }])
  })

  test('prints an MCP configuration with absolute paths and a key of the agent', async () => {
    const { command, args, env: set } = configurationIn(first.out())
    expect(command).toBe(process.execPath)
    expect(args).toEqual([expect.stringMatching(/^\/.*\/dist\/main\.js$/), 'mcp'])
    expect(set.POSTROOM_DATA).toBe(folder.path)
    expect(set.POSTROOM_API_KEY).not.toBe(key)
    const { body } = await api(first, '/v1/auth/me', set.POSTROOM_API_KEY)
    expect(body.key).toMatchObject({ agent: true })
    expect(body.scopes).not.toContain('org:admin')
  })

  test.skipIf(spawnSync('curl', ['--version']).status !== 0)(
    'prints a curl line that sends a mail when it is pasted',
    async () => {
      const [line] = await first.says(/^ {2}printf .* curl smtp:.*$/m)
      const pasted = spawnSync('sh', ['-c', line], { encoding: 'utf8' })
      expect(pasted).toMatchObject({ status: 0 })
      const { body } = await api(first, '/v1/agent/inboxes/hello@postroom.localhost/messages', key)
      expect(body.data).toMatchObject([{ subject: 'Hello', direction: 'inbound' }])
    },
  )

  test('keeps its folder to itself', () => {
    expect(statSync(folder.path).mode & 0o777).toBe(0o700)
    expect(statSync(join(folder.path, 'run.sock')).mode & 0o777).toBe(0o600)
  })

  test('a second process stops and names pid, folder and address', async () => {
    const [, base] = await first.says(/HTTP\s+(http:\S+)/)
    const second = await run(['serve'], env())
    expect(second.code).toBe(1)
    expect(second.out).toBe('')
    expect(second.err).toContain(`process ${first.process.pid}`)
    expect(second.err).toContain(folder.path)
    expect(second.err).toContain(base)
  })

  test('Ctrl-C ends it cleanly; the next start keeps everything and shows no key', async () => {
    const before = await api(first, '/v1/agent/inboxes/hello@postroom.localhost/messages', key)
    expect(await first.stop()).toMatchObject({ code: 0, signal: null })
    const next = postroom(['serve'], env())
    await next.says(READY)
    expect(next.out()).not.toMatch(KEY)
    expect(next.out()).toContain('keys create')
    expect(await api(next, '/v1/agent/inboxes/hello@postroom.localhost/messages', key)).toEqual(
      before,
    )
    expect(await next.stop('SIGTERM')).toMatchObject({ code: 0, signal: null })
  })
})

test('what was acknowledged before kill -9 is there at the next start', async () => {
  const server = postroom(['serve'], env())
  const [, host, port] = await server.says(/smtp:\/\/([\d.]+):(\d+)/)
  const mailer = createTransport({ host: host ?? '', port: Number(port), ignoreTLS: true })
  const subject = 'before the crash'
  await mailer.sendMail({ from: 'a@example.com', to: 'hello@postroom.localhost', subject })
  await server.stop('SIGKILL')

  const next = postroom(['serve'], env())
  await next.says(READY)
  const made = await run(['keys', 'create', '--name', 'check', '--scopes', 'email:read'], env())
  const { body } = await api(
    next,
    '/v1/agent/inboxes/hello@postroom.localhost/messages',
    made.out.trim(),
  )
  expect(body.data.map((message) => message.subject)).toContain(subject)
  await next.stop()
})

describe('the printed MCP configuration', () => {
  const RELAY = 'smtp://me:relaysecret@relay.example:587'

  test('keeps the settings of the environment, and none of its secrets', async () => {
    const key = Buffer.alloc(32, 9).toString('base64')
    const given = { SMTP_RELAY_URL: RELAY, POSTROOM_SECRET_KEY: key, REVIEW_TTL_HOURS: '24' }
    const server = postroom(['serve'], env(given))
    await server.says(READY)
    await server.stop()
    expect(configurationIn(server.out()).env).toMatchObject({
      SMTP_RELAY_URL: '<your SMTP_RELAY_URL>',
      POSTROOM_SECRET_KEY: '<your POSTROOM_SECRET_KEY>',
      REVIEW_TTL_HOURS: '24',
      POSTROOM_DATA: folder.path,
    })
    expect(server.out()).toContain(
      '\nSecrets are not shown here: put your own POSTROOM_SECRET_KEY and SMTP_RELAY_URL in.\n',
    )
    expect(server.out() + server.err()).not.toContain('relaysecret')
    expect(server.out() + server.err()).not.toContain(key)
  })

  test('leaves a secret key out that the data folder holds too', async () => {
    const key = Buffer.alloc(32, 7).toString('base64')
    const fresh = await migratedFolder()
    mkdirSync(fresh.path, { recursive: true })
    writeFileSync(join(fresh.path, 'secret.key'), `${key}\n`)
    const own = { POSTROOM_DATA: fresh.path, POSTROOM_SECRET_KEY: key }
    const server = postroom(['serve'], own)
    await server.says(READY)
    await server.stop()
    await fresh.remove()
    expect(configurationIn(server.out()).env).not.toHaveProperty('POSTROOM_SECRET_KEY')
    expect(server.out()).not.toContain('Secrets are not shown')
    expect(server.out() + server.err()).not.toContain(key)
  })
})

describe('a start that cannot go on says why, once, and exits 1', () => {
  test.each([
    [
      'a wrong value',
      { HTTP_PORT: '99999' },
      /^HTTP_PORT="99999" cannot be used: it must be .*\n$/,
    ],
    ['a misspelt name', { SMTP_PROT: '25' }, /^SMTP_PROT="25" cannot be used: .* SMTP_PORT\.\n$/],
    [
      'a first key of another form',
      { POSTROOM_API_KEY: 'secret' },
      /^POSTROOM_API_KEY="secr…" .*UUID/,
    ],
    ['an unreachable database', { DATABASE_URL: 'postgres://127.0.0.1:1/x' }, /^DATABASE_URL: /],
    ['an address of another machine', { HTTP_HOST: '192.0.2.1' }, /HTTP_PORT: .*192\.0\.2\.1/],
  ])('%s', async (_, more, message) => {
    const { code, out, err } = await run(['serve'], env({ LOG_LEVEL: 'silent', ...more }))
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(err).toMatch(message)
    expect(err).not.toMatch(/ at .*\.js/)
  })

  test('a port that is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => other.once('listening', resolve))
    const address = other.address()
    const port = typeof address === 'object' && address ? `${address.port}` : ''
    const { code, err } = await run(['serve'], env({ SMTP_PORT: port, LOG_LEVEL: 'silent' }))
    other.close()
    expect(code).toBe(1)
    expect(err).toMatch(new RegExp(`^SMTP_PORT: SMTP cannot listen on 127.0.0.1:${port}: .*\n$`))
  })

  test('a first start that finds its port taken leaves the keys to the next', async () => {
    const fresh = await migratedFolder()
    const other = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => other.once('listening', resolve))
    const address = other.address()
    const port = typeof address === 'object' && address ? `${address.port}` : ''
    const ports = { POSTROOM_DATA: fresh.path, HTTP_PORT: port, SMTP_PORT: '0' }
    expect((await run(['serve'], { ...ports, LOG_LEVEL: 'silent' })).code).toBe(1)
    other.close()
    const next = postroom(['serve'], ports)
    await next.says(READY)
    expect(next.out()).toMatch(KEY)
    await next.stop()
    await fresh.remove()
  })

  test('a data folder that cannot be written', async () => {
    const file = join(dirname(folder.path), 'a-file')
    writeFileSync(file, '')
    const { code, err } = await run(['serve'], { POSTROOM_DATA: join(file, 'data') })
    expect(code).toBe(1)
    expect(err).toMatch(/^POSTROOM_DATA: .*a-file.*\n$/)
  })

  test('an unknown command or role', async () => {
    const command = await run(['sevre'], env())
    expect(command).toMatchObject({ code: 1, out: '' })
    expect(command.err).toMatch(/There is no command "sevre"[\s\S]*serve/)
    const role = await run(['serve', '--roles', 'smtp,cook'], env())
    expect(role).toMatchObject({ code: 1, out: '' })
    expect(role.err).toMatch(/--roles smtp,cook: roles are smtp, http, worker/)
  })

  test.each([
    ['no role after --roles', ['--roles'], /^serve: .*--roles/],
    ['an option in its place', ['--roles', '--verbose'], /^serve: .*--roles/],
    ['an unknown option', ['--verbose'], /^serve: .*--verbose/],
    ['a word too many', ['extra'], /^serve: .*extra/],
  ])('%s', async (_, args, line) => {
    const { code, out, err } = await run(['serve', ...args], env())
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(err).toMatch(line)
    expect(err.split('\n').slice(1)).toEqual(['Use: serve [--roles smtp,http,worker]', ''])
  })
})

test('a folder whose path is too long for a socket is served all the same', async () => {
  const deep = join(dirname(folder.path), 'x'.repeat(60), 'y'.repeat(60))
  mkdirSync(deep, { recursive: true })
  const server = postroom(['serve'], { POSTROOM_DATA: deep })
  await server.says(READY)
  const list = await run(['keys', 'list'], { POSTROOM_DATA: deep })
  expect(list).toMatchObject({ code: 0 })
  expect(list.out).toContain('first key')
  await server.stop()
})
