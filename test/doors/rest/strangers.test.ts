import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { AITHREADS } from '../../../src/doors/rest/aithreads.ts'
import type { Route } from '../../../src/doors/rest/route.ts'
import { type HttpWorld, httpWorld } from '../../world/http.ts'
import { NEXT_YEAR, type Owned, property } from './property.ts'

let world: HttpWorld
let mine: Owned
let theirs: Owned
let theirKey: string
let before: string

beforeAll(async () => {
  world = await httpWorld()
  const stranger = await world.newOrganization('stranger')
  theirKey = stranger.key
  mine = await property(world, world.keys.first, world.owner.orgId, 'mine')
  theirs = await property(world, theirKey, stranger.orgId, 'theirs')
  before = await everything()
})
afterAll(() => world.close())

/** All that the stranger owns, as the stranger sees it. */
async function everything(): Promise<string> {
  const path = `/v1/agent/inboxes/${theirs.inbox_id}`
  const paths = [
    path,
    `${path}/messages`,
    `${path}/threads`,
    `${path}/drafts?with_scheduled=true`,
    `${path}/reviews`,
    `${path}/documents`,
    `${path}/lists/allow`,
    `${path}/suppressions`,
    `/v1/organizations/${theirs.org_id}/api-keys`,
    `/v1/organizations/${theirs.org_id}/domains`,
  ]
  const answers = await Promise.all(paths.map((one) => world.call('GET', one, { key: theirKey })))
  expect(answers.map(({ status }) => status)).toEqual(paths.map(() => 200))
  return answers.map(({ text }) => text).join('\n')
}

const parametersOf = ({ path }: Route) => [...path.matchAll(/:(\w+)/g)].map(([, name = '']) => name)

/** Good input, so that only the id can be what is refused. */
function inputOf({ method, path, operation, body }: Route) {
  if (body === 'form') {
    const form = new FormData()
    form.set('file', new Blob(['# New\n']), 'new.md')
    return { query: '', asked: { body: form } }
  }
  const bodies: Record<string, object> = {
    create_inbox: { username: 'another' },
    create_key: { name: 'x', scopes: ['inbox:read'] },
    add_domain: { domain: 'another.test' },
    put_allow_list: { entries: [] },
    put_block_list: { entries: [] },
    merge_threads: { thread_id: mine.thread_id },
    split_thread: { message_id: mine.message_id },
    send_message: { to: 'a@example.com', subject: 'x', text_body: 'x' },
    check_message: { to: 'a@example.com', subject: 'x', text_body: 'x' },
    reschedule_message: { send_at: NEXT_YEAR },
    approve_review: { sha256: mine.review_sha256 },
  }
  const query = /\/(search|context)$/.test(path) ? '?q=word' : ''
  if (method === 'GET' || method === 'DELETE') return { query, asked: {} }
  return { query, asked: { body: bodies[operation.name] ?? {} } }
}

/** Where the id must be of a certain kind to be taken. */
const FITTING: Record<string, Record<string, string>> = {
  reschedule_message: { message_id: 'planned_mail' },
  cancel_message: { message_id: 'planned_mail' },
  send_draft: { draft_id: 'draft_to_send' },
  reject_review: { review_id: 'review_to_reject' },
}

/** One case for each id of each route: that one is the stranger's, those before it are ours. */
const cases = AITHREADS.flatMap((route) =>
  parametersOf(route).map((parameter) => ({
    route,
    parameter,
    name: `${route.method} ${route.path}`,
  })),
)

describe('another organization is not there', () => {
  test('every route with an id is in the matrix', () => {
    const withIds = AITHREADS.filter(({ path }) => path.includes(':'))
    expect(new Set(cases.map(({ route }) => route)).size).toBe(withIds.length)
    for (const { parameter } of cases) expect(theirs).toHaveProperty(parameter)
  })

  test.each(cases)('$name: $parameter of a stranger is 404', async ({ route, parameter }) => {
    const answer = await ask(route, parameter, theirs[parameter] ?? '')
    expect([answer.status, answer.body.error.code]).toEqual([404, 'not_found'])
    const unknown = await ask(
      route,
      parameter,
      (theirs[parameter] ?? '').replace(/.{8}$/, '00000000'),
    )
    expect(unknown.status).toBe(404)
    expect(shape(answer.text)).toBe(shape(unknown.text))
  })

  test.each(cases.filter(({ parameter }) => parameter === 'inbox_id'))(
    '$name: the address of a stranger is 404',
    async ({ route }) => {
      expect((await ask(route, 'inbox_id', theirs.address ?? '')).status).toBe(404)
    },
  )

  test.each([
    'threads',
    'messages',
    'drafts',
    'documents',
    'documents/search',
    'documents/context',
  ])(
    'GET /v1/agent/%s shows nothing of a stranger, also when asked for their inbox',
    async (list) => {
      const query = list.includes('/') ? 'q=theirs' : 'limit=100'
      const { status, text } = await world.call('GET', `/v1/agent/${list}?${query}`)
      expect(status).toBe(200)
      for (const id of Object.values(theirs)) expect(text).not.toContain(id)
      const asked = `/v1/agent/${list}?${query}&inbox_id=${theirs.inbox_id}`
      expect((await world.call('GET', asked)).status).toBe(404)
    },
  )

  test.each(['thread_id', 'message_id'])('a send that answers their %s is 404', async (name) => {
    const field = name === 'thread_id' ? name : 'reply_to_message_id'
    const { status } = await world.call('POST', `/v1/agent/inboxes/${mine.inbox_id}/messages`, {
      body: { to: 'a@example.com', subject: 'x', text: 'x', [field]: theirs[name] },
    })
    expect(status).toBe(404)
  })

  test('their thread can be joined to none of ours, their message split off none', async () => {
    const thread = `/v1/agent/inboxes/${mine.inbox_id}/threads/${mine.thread_id}`
    for (const [what, field] of [
      ['merge', 'thread_id'],
      ['split', 'message_id'],
    ] as const) {
      const body = { [field]: theirs[field] }
      expect((await world.call('POST', `${thread}/${what}`, { body })).status).toBe(404)
    }
  })

  test('after all that the stranger still has everything', async () => {
    expect(await everything()).toBe(before)
  })
})

describe('a key that is limited to one inbox', () => {
  let key: string
  let other: Owned

  beforeAll(async () => {
    key = await world.keyOf(world.owner.orgId, { inboxIds: [mine.inbox_id ?? ''] })
    other = await property(world, world.keys.first, world.owner.orgId, 'other')
  })

  test('sees only that inbox in every list', async () => {
    const inboxes = await world.call('GET', '/v1/agent/inboxes', { key })
    expect(inboxes.body).toMatchObject({ data: [{ id: mine.inbox_id }], pagination: { total: 1 } })
    for (const [path, total] of Object.entries({
      threads: 4,
      messages: 5,
      drafts: 2,
      documents: 1,
    })) {
      const { body } = await world.call('GET', `/v1/agent/${path}`, { key })
      const inboxes = body.data.map((row: { inbox_id: string }) => row.inbox_id)
      expect(inboxes).toEqual(Array.from({ length: total }, () => mine.inbox_id))
      expect(body.pagination.total).toBe(total)
    }
    const me = await world.call('GET', '/v1/auth/me', { key })
    expect(me.body.inboxes).toEqual([{ id: mine.inbox_id, address: mine.address }])
  })

  test.each(cases.filter(({ parameter }) => parameter === 'inbox_id'))(
    '$name: another inbox is 404',
    async ({ route }) => {
      const answer = await ask(route, 'inbox_id', other.inbox_id ?? '', key)
      expect(answer.status).toBe(404)
    },
  )

  test('makes no inbox, and no key that sees more', async () => {
    const inbox = await world.call('POST', '/v1/agent/inboxes', { key, body: { username: 'more' } })
    expect(inbox.status).toBe(403)
    const path = `/v1/organizations/${world.owner.orgId}/api-keys`
    for (const wish of [{}, { inbox_ids: [other.inbox_id] }]) {
      const made = await world.call('POST', path, {
        key,
        body: { name: 'x', scopes: ['inbox:read'], ...wish },
      })
      expect(made.status).toBe(403)
    }
  })
})

/** Deleting comes last, and the inbox last of all. */
const gentleFirst = [...AITHREADS].sort((a, b) => rank(a) - rank(b))
function rank({ method, operation }: Route): number {
  return Number(method === 'DELETE') + Number(operation.name === 'delete_inbox')
}

test.each(gentleFirst.map((route) => ({ route, name: `${route.method} ${route.path}` })))(
  '$name answers with success to its own organization: what is refused above is the id',
  async ({ route }) => {
    const { status } = await ask(route, '', '')
    expect([200, 201, 202, 204]).toContain(status)
  },
)

/** A request to the route with our own ids, save for one. */
function ask(route: Route, parameter: string, value: string, key = world.keys.first) {
  const { query, asked } = inputOf(route)
  const path = route.path.replace(/:(\w+)/g, (_, name) =>
    encodeURIComponent(name === parameter ? value : ownOf(route, name)),
  )
  return world.call(route.method, `${path}${query}`, { key, ...asked })
}

const ownOf = ({ operation }: Route, name: string) =>
  mine[FITTING[operation.name]?.[name] ?? name] ?? ''

/** An answer without the id that was asked for. */
const shape = (text: string) => text.replace(/[a-z]{3}_[0-9a-z]{26}|gone@[0-9a-z.]+/g, '<id>')
