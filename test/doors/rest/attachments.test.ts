import { afterAll, beforeAll, expect, test } from 'vitest'
import { findAddresses } from '../../../src/engine/inboxes/find.ts'
import { createReceiver } from '../../../src/engine/receive/accept.ts'
import { type HttpWorld, httpWorld } from '../../world/http.ts'

const MIB = 1024 * 1024
let world: HttpWorld
let path: string

beforeAll(async () => {
  world = await httpWorld()
  path = `/v1/agent/inboxes/${world.hello}`
})
afterAll(() => world.close())

function form(name: string, content: string | Uint8Array<ArrayBuffer>, type = '') {
  const body = new FormData()
  body.set('file', new Blob([content], { type }), name)
  return { body }
}
const fetched = (url: string) =>
  fetch(`${world.url}${url}`, { headers: { authorization: `Bearer ${world.keys.first}` } })

test('a file is uploaded, sent by its id, and fetched as it was', async () => {
  const made = await world.call(
    'POST',
    `${path}/attachments`,
    form('Ärger "1"/plan 100%.pdf', 'PDF', 'application/pdf'),
  )
  expect(made.status).toBe(201)
  expect(made.body).toEqual({
    id: expect.stringMatching(/^att_[0-9a-z]{26}$/),
    inbox_id: expect.stringMatching(/^inb_/),
    filename: 'plan 100%.pdf',
    content_type: 'application/pdf',
    size: 3,
    created_at: expect.stringMatching(/Z$/),
  })
  const sent = await world.call('POST', `${path}/messages`, {
    body: {
      to: 'ann@example.com',
      subject: 'Plan',
      markdown_body: 'The *plan*.',
      attachments: [
        { attachment_id: made.body.id },
        { filename: 'größe.txt', content_type: 'text/plain', content: 'w6Q=' },
      ],
      headers: { Importance: 'high' },
    },
  })
  expect(sent.status).toBe(201)
  expect(sent.body).toMatchObject({
    text_body: 'The plan.',
    html_body: '<p>The <em>plan</em>.</p>\n',
  })
  const [plan, size] = sent.body.attachments
  expect(plan).toEqual({
    id: expect.stringMatching(/^att_/),
    filename: 'plan 100%.pdf',
    content_type: 'application/pdf',
    size: 3,
    inline: false,
  })
  const bytes = await fetched(`${path}/attachments/${size.id}`)
  expect([bytes.status, await bytes.text()]).toEqual([200, 'ä'])
  expect(bytes.headers.get('content-disposition')).toBe(
    `attachment; filename="gr__e.txt"; filename*=UTF-8''gr%C3%B6%C3%9Fe.txt`,
  )
  const raw = await (await fetched(`${path}/messages/${sent.body.id}/raw`)).text()
  expect(raw).toMatch(/^Importance: high\r$/m)
})

/** A page of a stranger, named as if it lay in another folder, with a type that no header can carry. */
const HOSTILE = [
  'From: a@example.com',
  'Subject: x',
  'Message-ID: <hostile@example.com>',
  'Content-Type: multipart/mixed; boundary=b',
  '',
  '--b',
  'Content-Type: text/html',
  'Content-Disposition: attachment; filename="..\\\\..\\\\x/../a\tb.html"',
  '',
  '<script>alert(1)</script>',
  '--b',
  'Content-Type: text/h\u00e4\u0007tml; name="b.bin"',
  '',
  'x',
  '--b--',
  '',
].join('\r\n')

test('an attachment that came in is saved and never shown in our origin', async () => {
  await createReceiver(world.engine).accept({
    raw: Buffer.from(HOSTILE, 'latin1'),
    envelope: { mail_from: 'a@example.com', rcpt_to: [world.hello] },
    peer: { ip: '127.0.0.1', helo: 'example.com', tls: false },
    inboxes: await findAddresses(world.engine, [world.hello]),
  })
  const { body } = await world.call('GET', `${path}/messages?direction=inbound`)
  const [page, odd] = body.data[0].attachments
  const answer = await fetched(`${path}/attachments/${page.id}`)
  expect(await answer.text()).toBe('<script>alert(1)</script>')
  expect(Object.fromEntries(answer.headers)).toMatchObject({
    'content-type': 'text/html',
    'content-disposition': `attachment; filename="a b.html"; filename*=UTF-8''a%20b.html`,
    'content-security-policy': expect.stringContaining('sandbox'),
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
  })
  const second = await fetched(`${path}/attachments/${odd.id}`)
  expect([second.status, second.headers.get('content-type')]).toEqual([
    200,
    'application/octet-stream',
  ])
})

test.each([
  ['no file', { body: new FormData() }, 400, 'file'],
  ['a file over 10 MB', form('big.bin', new Uint8Array(11 * MIB)), 413, 'file'],
  ['a name that names none', form('..', 'x'), 400, 'file'],
])('%s is refused by field', async (_, asked, status, field) => {
  const answer = await world.call('POST', `${path}/attachments`, asked)
  expect([answer.status, answer.body.error.details[0].field]).toEqual([status, field])
  expect(answer.body.error.fix).not.toBe('')
})

test('what is unknown in an attachment or header is named', async () => {
  const mail = { to: 'ann@example.com', subject: 'x', text_body: 'x' }
  const send = async (over: object) => {
    const { status, body } = await world.call('POST', `${path}/messages`, {
      body: { ...mail, ...over },
    })
    return [status, body.error.details.map(({ field }: { field: string }) => field)]
  }
  expect(await send({ attachments: [{ name: 'a.txt', content: 'YQ==' }] })).toEqual([
    400,
    ['attachments.0.name'],
  ])
  expect(await send({ headers: { Importance: 1 } })).toEqual([400, ['headers.Importance']])
  expect(await send({ attachments: 'att_x' })).toEqual([400, ['attachments']])
  expect(await send({ attachment_ids: ['att_00000000000000000000000000'] })).toEqual([
    404,
    ['attachment_ids.0'],
  ])
})

test('a key that may only send cannot fetch, and one that may only read cannot upload', async () => {
  const sender = await world.keyOf(world.owner.orgId, { scopes: ['email:send'] })
  const reader = await world.keyOf(world.owner.orgId, { scopes: ['email:read'] })
  const upload = await world.call('POST', `${path}/attachments`, { key: sender, ...form('a', 'a') })
  expect(upload.status).toBe(201)
  const get = await world.call('GET', `${path}/attachments/${upload.body.id}`, { key: sender })
  expect(get.status).toBe(403)
  const post = await world.call('POST', `${path}/attachments`, { key: reader, ...form('a', 'a') })
  expect(post.status).toBe(403)
})
