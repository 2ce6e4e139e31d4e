import { existsSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import {
  endAll,
  type Folder,
  migratedFolder,
  type Postroom,
  postroom,
  run,
} from '../../world/postroom.ts'

/** Each start opens a database; on a busy machine that takes a while. */
const PATIENCE_MS = 90_000
vi.setConfig({ testTimeout: PATIENCE_MS, hookTimeout: PATIENCE_MS })

const KEY = /^ait_[0-9a-f-]{36}\n$/

let folder: Folder
let server: Postroom
beforeAll(async () => {
  folder = await migratedFolder()
  server = postroom(['serve'], { POSTROOM_DATA: folder.path })
  await server.says(/is ready/)
})
afterAll(async () => {
  await endAll()
  await folder.remove()
})

const command = (...args: string[]) => run(args, { POSTROOM_DATA: folder.path })

async function whoIs(key: string) {
  const [, base] = await server.says(/HTTP\s+(http:\S+)/)
  const headers = { 'x-api-key': key.trim() }
  const answer = await fetch(`${base}/v1/auth/me`, { headers })
  return { status: answer.status, ...((await answer.json()) as Record<string, unknown>) }
}

describe('while a server holds the folder', () => {
  test('a key that was made works at once, and is revoked at once', async () => {
    const made = await command(
      'keys',
      'create',
      '--name',
      'ci',
      '--scopes',
      'inbox:read,email:read',
    )
    expect(made.code).toBe(0)
    // The key alone is on stdout, for KEY=$(postroom keys create …).
    expect(made.out).toMatch(KEY)
    expect(await whoIs(made.out)).toMatchObject({
      status: 200,
      key: { name: 'ci', agent: false },
      scopes: ['inbox:read', 'email:read'],
    })
    const [id = ''] = /key_\w+/.exec(made.err) ?? []
    expect(await command('keys', 'revoke', id)).toMatchObject({ code: 0 })
    expect(await whoIs(made.out)).toMatchObject({ status: 401 })
  })

  test('a key is limited to an inbox, to an agent and to a time', async () => {
    const made = await command(
      ...['keys', 'create', '--name', 'bot', '--scopes', 'email:read', '--agent'],
      ...['--inbox', 'hello@postroom.localhost', '--expires', '90d'],
    )
    expect(made.code).toBe(0)
    expect(await whoIs(made.out)).toMatchObject({
      key: { agent: true },
      inboxes: [{ address: 'hello@postroom.localhost' }],
    })
    const list = await command('keys', 'list')
    expect(list.out).toMatch(/bot +email:read +agents +\d{4}-\S+ +hello@postroom\.localhost\n/)
    expect(list.out).toMatch(/first key .* people +never +all\n/)
    expect(list.out).not.toContain(made.out.trim())
  })

  test.each([
    ['no name', ['create', '--scopes', 'email:read'], /--name is missing/],
    ['no scopes', ['create', '--name', 'x'], /--scopes is missing: some of inbox:read/],
    ['an unknown scope', ['create', '--name', 'x', '--scopes', 'root'], /--scopes.*inbox:read/],
    ['an unknown option', ['create', '--nome', 'x'], /--nome/],
    [
      'a lifetime that is none',
      ['create', '--name', 'x', '--scopes', 'email:read', '--expires', 'soon'],
      /90d/,
    ],
    [
      'an agent that may decide',
      ['create', '--name', 'x', '--scopes', 'org:admin', '--agent'],
      /org:admin/,
    ],
    [
      'an unknown inbox',
      ['create', '--name', 'x', '--scopes', 'email:read', '--inbox', 'no@x'],
      /no@x/,
    ],
    ['an unknown key', ['revoke', 'key_nobody'], /key_nobody/],
    ['no verb', [], /keys create/],
  ])('keys with %s says what is wrong', async (_, args, message) => {
    const { code, out, err } = await command('keys', ...args)
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(err).toMatch(message)
    expect(err).not.toMatch(/ at .*\.js/)
  })

  test.each([
    [
      ['--name', 'x', '--scopes', 'foo, email:read,bar'],
      /^--scopes "foo" must be inbox:read, .* or org:admin\n--scopes "bar" must be .*\n$/,
    ],
    [['--name', '', '--scopes', 'email:read'], /^--name "" must not be empty\n$/],
    [['--name', 'x', '--scopes', ''], /^--scopes "" must be inbox:read, .*\n$/],
    [
      ['--name', 'n'.repeat(201), '--scopes', 'email:read'],
      /^--name "n{60}…" must have at most 200 characters\n$/,
    ],
    [
      ['--name', 'x', '--scopes', 'email:read,org:admin', '--agent'],
      /^--scopes: an agent's key cannot have org:admin\n$/,
    ],
  ])(
    'keys create %j names the option, its value and what would be right',
    async (args, message) => {
      const { code, out, err } = await command('keys', 'create', ...args)
      expect({ code, out }).toEqual({ code: 1, out: '' })
      expect(err).toMatch(message)
    },
  )

  test('reviews --all is the list of all', async () => {
    const every = { code: 0, out: 'No mail was ever held for a person.\n', err: '' }
    expect(await command('reviews', '--all')).toMatchObject(every)
    expect(await command('reviews', 'list', '--all')).toMatchObject(every)
    expect((await command('reviews')).out).toBe('No mail waits for a person.\n')
  })

  test('test-mail brings a real mail through the SMTP door', async () => {
    const sent = await command('test-mail')
    expect(sent).toMatchObject({ code: 0 })
    expect(sent.out).toMatch(
      /^Sent to hello@postroom\.localhost by smtp:\/\/127\.0\.0\.1:\d+: 250 .*msg_/,
    )
    const refused = await command('test-mail', 'nobody@postroom.localhost')
    expect(refused.code).toBe(1)
    expect(refused.err).toMatch(/nobody@postroom\.localhost .*550/)
  })

  test('migrate finds the database up to date', async () => {
    expect(await command('migrate', '--check')).toMatchObject({ code: 0 })
  })
})

describe('while nobody holds the folder', () => {
  beforeAll(async () => {
    await server.stop()
  })

  test('commands open the database themselves', async () => {
    const list = await command('keys', 'list')
    expect(list).toMatchObject({ code: 0, err: '' })
    expect(list.out).toContain('first key')
    expect(await command('test-mail')).toMatchObject({ code: 0, err: '' })
    expect(await command('migrate', '--check')).toMatchObject({ code: 0, err: '' })
  })

  test('two commands at once wait for each other', async () => {
    const both = await Promise.all([command('keys', 'list'), command('keys', 'list')])
    expect(both).toMatchObject([{ code: 0 }, { code: 0 }])
  })

  test('no command makes a data folder by mistake', async () => {
    const wrong = `${folder.path}-typo`
    const { code, err } = await run(['keys', 'list'], { POSTROOM_DATA: wrong })
    expect(code).toBe(1)
    expect(err).toContain(wrong)
    expect(existsSync(wrong)).toBe(false)
  })
})

describe('--help', () => {
  test.each([
    ['serve', ['serve', '--help'], /serve \[--roles smtp,http,worker\]/],
    ['keys', ['keys', 'create', '--help'], /keys create --name N --scopes a,b[\s\S]*--expires 90d/],
    ['keys', ['keys', '-h'], /keys revoke ID/],
    ['test-mail', ['test-mail', '--help'], /test-mail \[ADDRESS\]/],
    ['import', ['import', '--help'], /import FILE.mbox --inbox ID/],
    ['export', ['export', '--inbox', 'x', '--help'], /export --inbox ID/],
    ['reindex', ['reindex', '--help'], /reindex/],
    ['reprocess', ['reprocess', '--help'], /reprocess \[--dry-run\]/],
    ['reviews', ['reviews', 'approve', '--help'], /reviews approve ID/],
    ['migrate', ['migrate', '--help'], /migrate \[--check\]/],
    ['keys', ['help', 'keys'], /keys create --name N/],
  ])('of %s: %j prints its usage alone', async (name, args, usage) => {
    // Help needs neither a data folder nor settings that can be used.
    const { code, out, err } = await run(args, { HTTP_PORT: 'many', POSTROOM_DATA: '/nowhere' })
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toMatch(/^Usage: postroom /)
    expect(out).toMatch(usage)
    const commands = [...out.matchAll(/^ {2}(\w\S*)/gm)].map(([, command]) => command)
    expect([...new Set(commands)]).toEqual([name])
  })

  test('of mcp goes to stderr: its stdout belongs to the frames', async () => {
    const { code, out, err } = await run(['mcp', '--help'], { HTTP_PORT: 'many' })
    expect({ code, out }).toEqual({ code: 0, out: '' })
    expect(err).toMatch(/^Usage: postroom [\s\S]*mcp --url URL/)
  })
})

test('test-mail sends nothing to an option', async () => {
  const { code, out, err } = await command('test-mail', '--quiet')
  expect({ code, out }).toEqual({ code: 1, out: '' })
  expect(err).toBe('There is no option --quiet. Use: test-mail [ADDRESS]\n')
})

test('help names every command', async () => {
  const { code, out } = await command('help')
  expect(code).toBe(0)
  for (const name of ['serve', 'mcp', 'keys create', 'test-mail', 'migrate']) {
    expect(out).toContain(name)
  }
})
