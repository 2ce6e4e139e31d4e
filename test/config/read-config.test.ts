import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { PACKAGE_ROOT, readConfig, SETTING_NAMES, sayProblems } from '../../src/config.ts'

const KEY = 'ait_01234567-89ab-cdef-0123-456789abcdef'

function problemsOf(env: Record<string, string>) {
  const reading = readConfig(env)
  return reading.ok ? [] : reading.problems
}

function configOf(env: Record<string, string>) {
  const reading = readConfig(env)
  if (!reading.ok) throw new Error(sayProblems(reading.problems))
  return reading.config
}

test('an empty environment gives the defaults of the documentation', () => {
  expect(configOf({})).toMatchObject({
    dataDir: join(PACKAGE_ROOT, 'data'),
    mailDomain: 'postroom.localhost',
    http: { host: '127.0.0.1', port: 8525 },
    smtp: { host: '127.0.0.1', port: 2525 },
    outbound: 'dry-run',
    webhookRetrySchedule: [0, 60, 300, 1800, 7200],
    outboundRetrySchedule: [0, 300, 1800, 7200, 14400, 28800, 57600],
    mcpToolsets: ['mail', 'knowledge'],
    mcpReadOnly: false,
    agentSendPolicy: 'review-new',
    logLevel: 'info',
  })
  expect(configOf({}).databaseUrl).toBeUndefined()
})

test('a relay makes relaying the default', () => {
  expect(configOf({ SMTP_RELAY_URL: 'smtp://relay.example:587' }).outbound).toBe('relay')
  expect(
    configOf({ SMTP_RELAY_URL: 'smtp://relay.example:587', OUTBOUND: 'dry-run' }).outbound,
  ).toBe('dry-run')
})

test('mx goes past a relay that is set too, and to port 25', () => {
  const config = configOf({ SMTP_RELAY_URL: 'smtp://relay.example:587', OUTBOUND: 'mx' })
  expect(config).toMatchObject({ outbound: 'mx', mxPort: 25 })
  expect(configOf({ OUTBOUND: 'mx', OUTBOUND_MX_PORT: '2526' }).mxPort).toBe(2526)
})

test('an empty value counts as unset', () => {
  expect(configOf({ HTTP_PORT: '', DATABASE_URL: ' ' })).toEqual(configOf({}))
})

test('resolvers are addresses, with port 53 where none is named', () => {
  expect(configOf({}).dnsServers).toBeUndefined()
  expect(
    configOf({ DNS_SERVERS: '192.0.2.53, localhost:5353,[::1]:5353,2001:db8::1' }),
  ).toHaveProperty('dnsServers', [
    '192.0.2.53:53',
    '127.0.0.1:5353',
    '[::1]:5353',
    '[2001:db8::1]:53',
  ])
})

test('a secret key is 32 bytes in base64 or hex, and no message shows it', () => {
  const bytes = Buffer.alloc(32, 9)
  for (const encoding of ['base64', 'hex', 'base64url'] as const) {
    expect(configOf({ POSTROOM_SECRET_KEY: bytes.toString(encoding) }).secretKey).toEqual(bytes)
  }
  const short = bytes.subarray(1).toString('base64')
  for (const wrong of [short, 'a secret that is no key at all, of 32', '!'.repeat(44)]) {
    const said = problemsOf({ POSTROOM_SECRET_KEY: wrong })
    expect(said).toMatchObject([{ variable: 'POSTROOM_SECRET_KEY', value: '•••' }])
    expect(JSON.stringify(said)).not.toContain(wrong)
  }
})

test('a relative data folder does not depend on the working directory', () => {
  expect(configOf({ POSTROOM_DATA: 'elsewhere' }).dataDir).toBe(join(PACKAGE_ROOT, 'elsewhere'))
  expect(configOf({ POSTROOM_DATA: '~/mail' }).dataDir).toBe(join(homedir(), 'mail'))
  expect(configOf({ POSTROOM_DATA: '/srv/mail/' }).dataDir).toMatch(/^\/srv\/mail\/?$/)
})

describe('a wrong value is named, with what would be right', () => {
  test.each([
    ['DATABASE_URL', 'mysql://x/y', /postgresql:\/\//],
    ['POSTROOM_ADOPT_DATABASE', 'yes', /"true" or "false"/],
    ['POSTROOM_MAIL_DOMAIN', 'two words', /domain name/],
    ['HTTP_HOST', 'a b', /address or a host name/],
    ['HTTP_PORT', '70000', /from 1 to 65535/],
    ['SMTP_PORT', 'smtp', /from 1 to 65535/],
    ['SMTP_HOSTNAME', 'under_score', /domain name/],
    ['SMTP_BARE_NEWLINES', 'keep', /"reject" or "normalize"/],
    ['PUBLIC_URL', 'mail.example.com', /https:\/\/mail.example.com/],
    ['ALLOWED_HOSTS', 'http://a', /host:port/],
    ['ALLOWED_ORIGINS', 'a,,b', /host:port/],
    ['SMTP_RELAY_URL', 'relay.example:587', /smtp:\/\//],
    ['OUTBOUND', 'later', /"dry-run", "relay" or "mx"/],
    ['OUTBOUND', 'relay', /"mx".*SMTP_RELAY_URL/],
    ['OUTBOUND_MX_PORT', '0', /from 1 to 65535/],
    ['WEBHOOK_RETRY_SCHEDULE', '0,soon', /0,60,300/],
    ['WEBHOOK_TIMEOUT_SECONDS', '0', /1 to 300/],
    ['WEBHOOK_ALLOW_PRIVATE', 'maybe', /"auto", "true" or "false"/],
    ['OUTBOUND_RETRY_SCHEDULE', '-1', /0,60,300/],
    ['MCP_TOOLSETS', 'mail,magic', /"mail", "knowledge", "drafts" and "admin"/],
    ['MCP_READ_ONLY', '2', /"true" or "false"/],
    ['AGENT_SEND_POLICY', 'closed', /"review-new", "review-all" or "open"/],
    ['SMTP_TLS_CERT', '/nowhere.pem', /SMTP_TLS_CERT/],
    ['DNS_SERVERS', 'dns.example.com', /IP addresses/],
    ['DNS_SERVERS', '127.0.0.1:0', /IP addresses/],
    ['DNS_SERVERS', '127.0.0.1,', /IP addresses/],
    ['LOG_LEVEL', 'loud', /"info"/],
  ])('%s=%s', (variable, value, right) => {
    const problems = problemsOf({ [variable]: value })
    expect(problems).toHaveLength(1)
    expect(sayProblems(problems)).toContain(variable)
    expect(problems[0]?.right).toMatch(right)
  })

  test('all of them at once', () => {
    expect(problemsOf({ HTTP_PORT: 'a', SMTP_PORT: 'b' }).map((p) => p.variable)).toEqual([
      'HTTP_PORT',
      'SMTP_PORT',
    ])
  })
})

test('no message shows a password or a key', () => {
  const said = sayProblems(
    problemsOf({
      POSTROOM_API_KEY: 'ait_topsecret',
      DATABASE_URL: 'mysql://me:topsecret@host/db',
      SMTP_RELAY_URL: 'http://me:topsecret@host',
    }),
  )
  expect(said).toMatch(/POSTROOM_API_KEY[\s\S]*UUID/)
  expect(said).toContain('mysql://•••@host/db')
  expect(said).not.toContain('topsecret')
})

test.each([
  ['SMTP_RELAY_URL', 'apikey:SG.topsecret@smtp.example:587', '•••@smtp.example:587'],
  [
    'SMTP_RELAY_URL',
    'smtp://me@acme.com:topsecret@smtp.acme.com:587x',
    'smtp://•••@smtp.acme.com:587x',
  ],
  ['SMTP_RELAY_URL', 'smtp://me:top@secret@smtp.acme.com:587x', 'smtp://•••@smtp.acme.com:587x'],
  ['SMTP_RELAY_URL', 'smtp://me:to/psecret#1@smtp.acme.com', 'smtp://•••@smtp.acme.com'],
  ['SMTP_RELAY_URL', 'smtp:me:topsecret@smtp.acme.com', '•••@smtp.acme.com'],
  ['SMTP_RELAY_URL', 'smtp://apikey:SG.topsecret', 'smtp://apikey:•••'],
  ['SMTP_RELAY_URL', 'apikey:SG.topsecret', 'apikey:•••'],
  ['SMTP_RELAY_URL', 'http://[::1]:587', 'http://[::1]:587'],
  ['SMTP_RELAY_URL', 'relay.example:587', 'relay.example:587'],
  ['DATABASE_URL', 'app:topsecret@db:5432/x', '•••@db:5432/x'],
  [
    'DATABASE_URL',
    'mysql://db/x?user=me&password=topsecret&ssl=1',
    'mysql://db/x?user=me&password=•••&ssl=1',
  ],
  ['DATABASE_URL', 'host=db user=me password=topsecret', 'host=db user=me password=•••'],
  ['PUBLIC_URL', 'me:topsecret@x', '•••@x'],
  ['PUBLIC_URL', 'mail.example.com/topic', 'mail.example.com/topic'],
  ['SMTP_RELAY_ULR', 'smtp://me:topsecret@smtp.acme.com', 'smtp://•••@smtp.acme.com'],
  ['POSTROOM_PASSWORD', 'topsecret', '•••'],
  ['POSTROOM_SECERT_KEY', Buffer.alloc(32, 9).toString('base64'), '•••'],
  ['POSTROOM_API_KYE', KEY, 'ait_…'],
  ['REVIEW_NOTIFY', 'Me <me@acme.com>', 'Me <me@acme.com>'],
])('%s=%s is shown without its password', (variable, value, shown) => {
  expect(problemsOf({ [variable]: value })).toMatchObject([{ variable, value: shown }])
})

test('a well-formed first key is taken', () => {
  expect(configOf({ POSTROOM_API_KEY: KEY }).apiKey).toBe(KEY)
})

describe('names that are not ours', () => {
  test('a slip of the keyboard stops the start and is told', () => {
    expect(problemsOf({ SMTP_PROT: '25' })).toEqual([
      { variable: 'SMTP_PROT', value: '25', right: 'spelt SMTP_PORT' },
    ])
  })

  test('nothing unknown is taken under our own prefix', () => {
    const [problem] = problemsOf({ POSTROOM_DATABASE: 'x' })
    expect(problem?.right).toContain('no such setting (did you mean POSTROOM_DATA?)')
  })

  test("other programs' variables stop nothing and are told", () => {
    const reading = readConfig({ MCP_TIMEOUT: '60000', SMTP_USER: 'me', PATH: '/bin' })
    expect(reading).toMatchObject({ ok: true, ignored: ['MCP_TIMEOUT', 'SMTP_USER'] })
  })
})

test('.env.example lists every setting, and nothing else', () => {
  const listed = readFileSync(join(PACKAGE_ROOT, '.env.example'), 'utf8')
    .split('\n')
    .flatMap((line) => /^# ([A-Z_]+)=/.exec(line)?.[1] ?? [])
  expect(listed.sort()).toEqual([...SETTING_NAMES].sort())
})

test('the values that .env.example shows can be used as they are', () => {
  const shown = readFileSync(join(PACKAGE_ROOT, '.env.example'), 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [, name, value] = /^# ([A-Z_]+)=(.*)$/.exec(line) ?? []
      return name === undefined || name.startsWith('SMTP_TLS') ? [] : [[name, value]]
    })
  expect(problemsOf(Object.fromEntries(shown))).toEqual([])
})
