import { simpleParser } from 'mailparser'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type HttpWorld, httpWorld } from '../../world/http.ts'

let world: HttpWorld
let inbox: { id: string; address: string }
let made = 0

beforeAll(async () => {
  world = await httpWorld()
  Object.assign(world.engine.settings, { publicUrl: world.url })
  inbox = (await world.call('POST', '/v1/agent/inboxes', { body: { username: 'news' } })).body
})
afterAll(() => world.close())

const path = () => `/v1/agent/inboxes/${inbox.id}`

function send(over: object = {}) {
  const body = { subject: 'News', text_body: 'Hello', list_unsubscribe: true, ...over }
  return world.call('POST', `${path()}/messages`, { body })
}

/** Sends to somebody new; the link stands in the mail's header. */
async function newsletter() {
  made += 1
  const email = `ann${made}@example.com`
  const { body } = await send({ to: email })
  const { text } = await world.call('GET', `${path()}/messages/${body.id}/raw`)
  const headers = (await simpleParser(text)).headerLines
  const field = (key: string) => headers.find((one) => one.key === key)?.line ?? ''
  const [, link = ''] = /^List-Unsubscribe: <([^<>\s]+)>$/i.exec(field('list-unsubscribe')) ?? []
  return { email, link, post: field('list-unsubscribe-post'), id: body.id as string }
}

const ONE_CLICK = 'List-Unsubscribe=One-Click'
const click = (link: string, body: string | FormData = ONE_CLICK) =>
  fetch(link, {
    method: 'POST',
    body,
    redirect: 'manual',
    headers:
      typeof body === 'string' ? { 'content-type': 'application/x-www-form-urlencoded' } : {},
  })

const suppressed = async (email: string) =>
  (await world.call('GET', `${path()}/suppressions?email=${email}`)).body.data

test('a mail carries the link where it was asked for, and only then', async () => {
  const { link, post } = await newsletter()
  expect(link).toMatch(new RegExp(`^${world.url}/unsubscribe/[0-9a-z]{52}[\\w-]{20}$`))
  expect(post).toBe('List-Unsubscribe-Post: List-Unsubscribe=One-Click')
  const { body } = await send({ to: 'bob@example.com', list_unsubscribe: false })
  const { text } = await world.call('GET', `${path()}/messages/${body.id}/raw`)
  expect(text).not.toMatch(/^List-Unsubscribe/im)
})

test('looking at the link changes nothing; one click does, as a form of either kind, also twice', async () => {
  const { email, link, id } = await newsletter()
  const looked = await fetch(link)
  expect(looked.status).toBe(200)
  expect(looked.headers.get('content-security-policy')).toMatch(/^default-src 'none'/)
  const html = await looked.text()
  expect(html).toContain('<form method="post">')
  expect(html).toContain(email)
  expect(await suppressed(email)).toEqual([])
  const form = new FormData()
  form.set('List-Unsubscribe', 'One-Click')
  for (const body of [ONE_CLICK, form]) {
    const done = await click(link, body)
    expect([done.status, done.headers.get('set-cookie')]).toEqual([200, null])
    expect(await done.text()).toContain('Unsubscribed')
  }
  expect(await suppressed(email)).toMatchObject([
    { email, kind: 'unsubscribe', inbox_id: inbox.id, message_id: id },
  ])
  const events = await world.engine.db.prisma.events.findMany({ where: { message_id: id } })
  expect(events.filter(({ event }) => event === 'email.unsubscribed')).toMatchObject([
    { data: { recipients: [email] } },
  ])
})

test('the form of the page is taken from a browser, and not from the page of somebody else', async () => {
  const { email, link } = await newsletter()
  const from = (origin: string) =>
    fetch(link, {
      method: 'POST',
      body: ONE_CLICK,
      headers: { 'content-type': 'application/x-www-form-urlencoded', origin },
    })
  expect((await from('https://evil.example')).status).toBe(403)
  expect(await suppressed(email)).toEqual([])
  expect((await from(world.url)).status).toBe(200)
  expect(await suppressed(email)).toHaveLength(1)
})

test('whoever unsubscribed gets no more from that inbox, an answer to their own mail, and mail of the others', async () => {
  const { email, link } = await newsletter()
  await click(link)
  const refused = await send({ to: email, list_unsubscribe: false })
  expect([refused.status, refused.body.error.code]).toEqual([422, 'all_recipients_suppressed'])
  expect(refused.body.error.message).toContain('unsubscribed')
  const theirs = await world.receive(inbox.address, { subject: 'A question' })
  await world.engine.db.query(`UPDATE messages SET "from" = $2 WHERE id = $1`, [theirs, { email }])
  const answer = await send({ reply_to_message_id: theirs, subject: 'Re: A question' })
  expect(answer.status).toBe(201)
  expect(answer.body.to).toEqual([{ email }])
  const other = await world.call('POST', '/v1/agent/inboxes', { body: { username: 'orders' } })
  const sent = await world.call('POST', `/v1/agent/inboxes/${other.body.id}/messages`, {
    body: { to: email, subject: 'Your order', text_body: 'Thanks' },
  })
  expect(sent.status).toBe(201)
})

test('a person lets them be written to again', async () => {
  const { email, link } = await newsletter()
  await click(link)
  const agent = world.keys.agent
  const one = `${path()}/suppressions/${encodeURIComponent(email)}`
  expect((await world.call('DELETE', one, { key: agent })).status).toBe(403)
  expect((await world.call('DELETE', one)).status).toBe(204)
  expect((await world.call('DELETE', one)).status).toBe(404)
  expect((await send({ to: email })).status).toBe(201)
})

test('a link that was changed is not known, and what is no click does nothing', async () => {
  const { email, link } = await newsletter()
  const other = await newsletter()
  const token = (url: string) => url.slice(url.lastIndexOf('/') + 1)
  const mixed = token(link).slice(0, 52) + token(other.link).slice(52)
  const wrong = [mixed, token(link).slice(0, -1), `${token(link)}x`, 'x', '%00', '../healthz']
  for (const one of wrong) {
    const answer = await click(`${world.url}/unsubscribe/${one}`)
    expect([answer.status, one]).toEqual([404, one])
  }
  for (const body of ['', 'List-Unsubscribe=No', 'a=b', ONE_CLICK.repeat(1000)]) {
    expect((await click(link, body)).status).toBeGreaterThanOrEqual(400)
  }
  expect(await suppressed(email)).toEqual([])
})

test('names of people cannot put anything into the page', async () => {
  const { link, id } = await newsletter()
  const envelope = { mail_from: inbox.address, rcpt_to: ['<b>"&@example.com'] }
  await world.engine.db.query('UPDATE messages SET envelope = $2 WHERE id = $1', [id, envelope])
  expect(await (await fetch(link)).text()).toContain('&lt;b&gt;&quot;&amp;@example.com')
})

test('the link tells who unsubscribes, so the mail has one recipient, and one maker of the field', async () => {
  const field = async (over: object) => {
    const { status, body } = await send(over)
    expect(status).toBe(400)
    return body.error.details.map(({ field }: { field: string }) => field)
  }
  expect(await field({ to: ['a@example.com', 'b@example.com'] })).toEqual(['list_unsubscribe'])
  expect(await field({ to: 'a@example.com', bcc: 'b@example.com' })).toEqual(['list_unsubscribe'])
  const headers = { 'List-Unsubscribe': '<https://example.com/u>' }
  expect(await field({ to: 'a@example.com', headers })).toEqual(['headers.List-Unsubscribe'])
  expect(await field({ to: 'a@example.com', list_unsubscribe: 'yes' })).toEqual([
    'list_unsubscribe',
  ])
})

test('the list takes known filters only', async () => {
  const asked = (query: string) => world.call('GET', `${path()}/suppressions?${query}`)
  expect((await asked('kind=unsubscribe&limit=2')).body).toMatchObject({
    data: [{ kind: 'unsubscribe' }, { kind: 'unsubscribe' }],
    pagination: { limit: 2, next_cursor: expect.any(String) },
  })
  expect((await asked('kind=bounce')).body.data).toEqual([])
  for (const query of ['kind=spam', 'limit=0', 'state=x']) {
    expect((await asked(query)).status).toBe(400)
  }
})

test('health is shown to who reads the inbox and cleared by who administers it', async () => {
  const agent = world.keys.agent
  const shown = await world.call('GET', `${path()}/health`, { key: agent })
  expect(shown.body).toMatchObject({ status: 'sending', sent: 0, bounced: 0, complained: 0 })
  const clear = (key?: string) =>
    world.call('POST', `${path()}/health/clear`, key === undefined ? {} : { key })
  expect((await clear(agent)).status).toBe(403)
  expect((await clear()).body).toMatchObject({ status: 'sending' })
})
