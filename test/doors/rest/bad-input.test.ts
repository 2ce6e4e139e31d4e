import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Asked, type HttpWorld, httpWorld } from '../../world/http.ts'

let world: HttpWorld
const INBOXES = '/v1/agent/inboxes'
const MIB = 1024 * 1024

beforeAll(async () => {
  world = await httpWorld()
})
afterAll(() => world.close())

/** The error of a request, which has the one shape of every error. */
async function errorOf(method: string, path: string, asked?: Asked) {
  const { status, body, headers } = await world.call(method, path, asked)
  expect(Object.keys(body)).toEqual(['error'])
  const { code, message, fix, details, ...rest } = body.error
  expect([typeof code, typeof message, typeof fix, rest]).toEqual([
    'string',
    'string',
    'string',
    {},
  ])
  expect(fix).not.toBe('')
  return { status, code, message, fix, details, headers }
}

const json = (body: string, type = 'application/json') => ({
  body,
  headers: { 'content-type': type },
})

test('an unknown field is 400, named, with the field that was meant', async () => {
  const error = await errorOf('POST', INBOXES, { body: { usrname: 'a', webhookUrl: 'x' } })
  expect([error.status, error.code]).toEqual([400, 'validation_failed'])
  expect(error.details).toContainEqual({
    field: 'usrname',
    message: 'is not known here; did you mean username?',
  })
  expect(error.details).toContainEqual({
    field: 'webhookUrl',
    message: 'is not known here; did you mean webhook_url?',
  })
  expect(error.details).toContainEqual({ field: 'username', message: 'is required' })
})

test('an unknown or repeated query parameter is 400 and named', async () => {
  const unknown = await errorOf('GET', `${INBOXES}?limt=5`)
  expect(unknown.details).toEqual([
    { field: 'limt', message: 'is not known here; did you mean limit?' },
  ])
  const twice = await errorOf('GET', `${INBOXES}?limit=5&limit=6`)
  expect(twice.details).toEqual([{ field: 'limit', message: 'is given twice' }])
  const onPost = await errorOf('POST', `${INBOXES}?username=a`, { body: { username: 'a' } })
  expect(onPost.details[0].field).toBe('username')
})

test.each(['0', '101', 'ten', '1.5', '-1'])('limit=%s is 400', async (limit) => {
  const error = await errorOf('GET', `${INBOXES}?limit=${limit}`)
  expect([error.status, error.details[0].field]).toEqual([400, 'limit'])
})

test('a cursor that we did not make is 400', async () => {
  expect((await errorOf('GET', `${INBOXES}?cursor=abc`)).details[0].field).toBe('cursor')
})

test('a cursor of another list is 400, and never an empty page', async () => {
  await world.call('POST', INBOXES, { body: { username: 'one-more' } })
  const { body } = await world.call('GET', `${INBOXES}?limit=1`)
  const cursor = body.pagination.next_cursor
  const organization = `/v1/organizations/${world.owner.orgId}`
  for (const path of [
    '/v1/agent/threads',
    '/v1/agent/messages',
    '/v1/agent/drafts',
    '/v1/agent/documents',
    `${INBOXES}/${world.hello}/suppressions`,
    `${INBOXES}/${world.hello}/webhooks/deliveries`,
    `${organization}/api-keys`,
    `${organization}/audit`,
    `${organization}/domains`,
    `${organization}/reviews`,
  ]) {
    const error = await errorOf('GET', `${path}?cursor=${cursor}`)
    expect([path, error.status, error.details]).toEqual([
      path,
      400,
      [
        {
          field: 'cursor',
          message: 'is not a cursor of this list; take next_cursor of the last page',
        },
      ],
    ])
  }
})

test('malformed JSON is 400 with the place and the fix', async () => {
  const error = await errorOf('POST', INBOXES, json('{"username": "a",}'))
  expect([error.status, error.code]).toEqual([400, 'validation_failed'])
  expect(error.message).toBe('body: line 1, column 18: no comma may stand before "}"')
  expect(error.fix).toMatch(/^Mend the JSON/)
})

test.each(['[]', '"text"', 'null', '5'])(
  'a body that is %s instead of an object is 400',
  async (body) => {
    expect((await errorOf('POST', INBOXES, json(body))).message).toContain('must be a JSON object')
  },
)

test('a body that is not UTF-8 is 400', async () => {
  const body = Buffer.from([0x7b, 0xff, 0x7d]) as unknown as string
  const response = await fetch(`${world.url}${INBOXES}`, {
    method: 'POST',
    body,
    headers: { authorization: `Bearer ${world.keys.first}`, 'content-type': 'application/json' },
  })
  expect([response.status, await response.text()]).toEqual([400, expect.stringContaining('UTF-8')])
})

test.each([
  ['a form', 'username=a', 'application/x-www-form-urlencoded'],
  ['text', '{"username":"a"}', 'text/plain;charset=UTF-8'],
  ['JSON in Latin-1', '{"username":"a"}', 'application/json; charset=iso-8859-1'],
])('%s instead of JSON is 415 and says what to send', async (_, body, type) => {
  const error = await errorOf('POST', INBOXES, json(body, type))
  expect([error.status, error.code]).toEqual([415, 'unsupported_media_type'])
  expect(error.fix).toContain('Content-Type: application/json')
})

test('a compressed body is 415', async () => {
  const asked = json('{}')
  const error = await errorOf('POST', INBOXES, {
    ...asked,
    headers: { ...asked.headers, 'content-encoding': 'gzip' },
  })
  expect(error.status).toBe(415)
})

test('NUL and half an emoji in a text are taken, as U+FFFD', async () => {
  const body = '{"username": "cut-short", "name": "a\\u0000b\\ud83d", "client_id": "x\\ud83d"}'
  const made = await world.call('POST', INBOXES, json(body))
  expect([made.status, made.body.display_name]).toEqual([201, 'a\uFFFDb\uFFFD'])
  const again = await world.call('POST', INBOXES, json(body))
  expect([again.status, again.body.id]).toEqual([200, made.body.id])
  const mail = {
    to: 'a@example.com',
    subject: 'cut \ud83d',
    text_body: 'cut \ud83d',
    html_body: '<p>\ud83d</p>',
  }
  const sent = await world.call('POST', `${INBOXES}/${world.hello}/messages`, { body: mail })
  expect([sent.status, sent.body.text_body]).toEqual([201, 'cut \uFFFD'])
})

test('a field of the path may be repeated in the body, but not contradicted', async () => {
  const path = `${INBOXES}/${world.hello}`
  const same = await world.call('PATCH', path, { body: { inbox_id: world.hello } })
  expect(same.status).toBe(200)
  const other = await errorOf('PATCH', path, { body: { inbox_id: 'inb_other' } })
  expect(other.details[0].field).toBe('inbox_id')
})

describe('sizes', () => {
  test('a JSON body over 1 MB is 413, announced or not', async () => {
    const body = `{"username": "${'a'.repeat(MIB)}"}`
    expect((await errorOf('POST', INBOXES, json(body))).status).toBe(413)
    const chunked = await fetch(`${world.url}${INBOXES}`, {
      method: 'POST',
      body: new Blob([body]).stream(),
      duplex: 'half',
      headers: { authorization: `Bearer ${world.keys.first}`, 'content-type': 'application/json' },
    } as RequestInit)
    expect(chunked.status).toBe(413)
  })

  test('a chunked body within the limit is read', async () => {
    const response = await fetch(`${world.url}${INBOXES}`, {
      method: 'POST',
      body: new Blob(['{"username": "chunked"}']).stream(),
      duplex: 'half',
      headers: { authorization: `Bearer ${world.keys.first}`, 'content-type': 'application/json' },
    } as RequestInit)
    expect(response.status).toBe(201)
  })

  test('an upload over the limit is 413 before it is read', async () => {
    const form = new FormData()
    form.set('file', new Blob([new Uint8Array(22 * MIB)]), 'big.md')
    const error = await errorOf('POST', `${INBOXES}/${world.hello}/documents`, { body: form })
    expect([error.status, error.code]).toEqual([413, 'payload_too_large'])
  })

  test('headers over 16 KB are 431, in the usual shape', async () => {
    const error = await errorOf('GET', INBOXES, { headers: { 'x-long': 'a'.repeat(17_000) } })
    expect([error.status, error.code]).toEqual([431, 'headers_too_large'])
  })

  test('JSON nested deeper than 32 levels is 400', async () => {
    const body = `{"username": ${'['.repeat(40)}${']'.repeat(40)}}`
    expect((await errorOf('POST', INBOXES, json(body))).message).toContain('nested deeper')
  })
})

test('a body that breaks off is no fault of ours: nothing is logged as one', async () => {
  const faults: object[] = []
  const broken = await httpWorld({
    log: { ...world.engine.log, error: (fields) => faults.push(fields), info: () => {} },
  })
  const socket = connect(broken.port, '127.0.0.1')
  const head = `POST ${INBOXES} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${broken.keys.first}`
  socket.end(`${head}\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"user`)
  await once(socket.resume(), 'close')
  expect((await broken.call('GET', INBOXES)).status).toBe(200)
  await broken.close()
  expect(faults).toEqual([])
})

describe('uploads', () => {
  const documents = () => `${INBOXES}/${world.hello}/documents`
  const form = (parts: Record<string, string | [string, string]>) => {
    const body = new FormData()
    for (const [name, value] of Object.entries(parts)) {
      if (typeof value === 'string') body.append(name, value)
      else body.append(name, new Blob([value[1]]), value[0])
    }
    return { body }
  }

  test.each([
    ['JSON', { body: { name: 'a' } }, 415, 'multipart/form-data'],
    ['a form without a file', form({ name: 'a' }), 400, 'file: is required'],
    ['a file that is a text', form({ file: 'text' }), 400, 'file: is a text'],
    ['a file in another field', form({ document: ['a.md', 'x'] }), 400, 'document: is a file'],
    ['an unknown field', form({ file: ['a.md', '# A'], nme: 'A' }), 400, 'did you mean name?'],
    ['an executable', form({ file: ['a.exe', 'MZ'] }), 415, ''],
    [
      'a broken form',
      { body: 'no form', headers: { 'content-type': 'multipart/form-data; boundary=x' } },
      400,
      'not a multipart form',
    ],
    [
      'a form without boundary',
      { body: 'no form', headers: { 'content-type': 'multipart/form-data' } },
      400,
      'not a multipart form',
    ],
  ])('%s is refused with a reason', async (_, asked, status, reason) => {
    const error = await errorOf('POST', documents(), asked)
    expect(error.status).toBe(status)
    expect(error.message).toContain(reason)
  })
})

test.each(['thr_%00', '%ff', "thr_'; DROP TABLE threads; --", '%zz', '..%2f..'])(
  'the id %s is 404',
  async (id) => {
    expect((await errorOf('GET', `${INBOXES}/${world.hello}/threads/${id}`)).status).toBe(404)
  },
)

test('an unknown route is 404 that names it; a missing /v1 is pointed out', async () => {
  const error = await errorOf('GET', '/agent/inboxes', { key: '' })
  expect([error.status, error.code]).toEqual([404, 'not_found'])
  expect(error.message).toContain('GET /agent/inboxes')
  expect(error.fix).toContain('/v1')
})

test('a method that a path has not is 405 with Allow', async () => {
  const error = await errorOf('DELETE', INBOXES)
  expect([error.status, error.code]).toEqual([405, 'method_not_allowed'])
  expect(error.headers.get('allow')).toBe('POST, GET, HEAD, OPTIONS')
})

test('HEAD answers like GET without a body, OPTIONS says what is allowed, a slash at the end changes nothing', async () => {
  const head = await world.call('HEAD', INBOXES)
  expect([head.status, head.text]).toEqual([200, ''])
  const options = await world.call('OPTIONS', INBOXES, { key: '' })
  expect([options.status, options.headers.get('allow')]).toEqual([204, 'POST, GET, HEAD, OPTIONS'])
  expect((await world.call('GET', `${INBOXES}/`)).status).toBe(200)
})
