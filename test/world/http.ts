/** The HTTP door over a real engine, listening on loopback, and a client for it. */

import { startHttp } from '../../src/doors/rest/listen.ts'
import { createHttpApp, type HttpParts } from '../../src/doors/rest/server.ts'
import { makeKey } from '../../src/engine/access/keys.ts'
import { SCOPES, type Scope } from '../../src/engine/caller.ts'
import type { InboxId, OrgId } from '../../src/engine/ids.ts'
import { findAddresses } from '../../src/engine/inboxes/find.ts'
import type { Engine } from '../../src/engine/ports.ts'
import { createReceiver } from '../../src/engine/receive/accept.ts'
import { newId } from '../../src/platform/ids.ts'
import { type EngineWorld, engineWorld } from './engine.ts'

// biome-ignore lint/suspicious/noExplicitAny: tests read answers as their readers do
export type Json = any

export interface Answered {
  status: number
  headers: Headers
  text: string
  body: Json
}

export interface Asked {
  key?: string
  body?: unknown
  headers?: Record<string, string>
}

export interface HttpWorld extends Omit<EngineWorld, 'close'> {
  url: string
  port: number
  /** A request with the first key, unless another is named. An object as body goes as JSON. */
  call(method: string, path: string, asked?: Asked): Promise<Answered>
  receive(to: string, about: { subject: string; inReplyTo?: string }): Promise<string>
  keyOf(
    orgId: OrgId,
    wish?: { scopes?: Scope[]; inboxIds?: string[]; agent?: boolean },
  ): Promise<string>
  /** Another organization, with a key that has every scope. */
  newOrganization(slug: string): Promise<{ orgId: OrgId; key: string }>
  close(): Promise<void>
}

const LOOPBACK = ['localhost', 'localhost:*', '127.0.0.1', '127.0.0.1:*', '[::1]', '[::1]:*']

export async function httpWorld(
  over: Partial<HttpParts> & { log?: Engine['log'] } = {},
): Promise<HttpWorld> {
  const world = await engineWorld()
  if (over.log) world.engine.log = over.log
  const app = createHttpApp({
    engine: world.engine,
    allowedHosts: LOOPBACK,
    allowedOrigins: LOOPBACK,
    ready: () => true,
    ...over,
  })
  const door = await startHttp(app, { host: '127.0.0.1', port: 0, log: world.engine.log })
  const url = `http://127.0.0.1:${door.port}`
  return {
    ...world,
    url,
    port: door.port,
    call: (method, path, asked = {}) =>
      call(method, `${url}${path}`, { key: world.keys.first, ...asked }),
    receive: (to, about) => receive(world.engine, to, about),
    keyOf: (orgId, wish) => keyOf(world.engine, orgId, wish),
    newOrganization: (slug) => newOrganization(world.engine, slug),
    async close() {
      await door.close()
      await world.close()
    },
  }
}

async function call(method: string, url: string, { key, body, headers }: Asked): Promise<Answered> {
  const json = body !== undefined && typeof body === 'object' && !(body instanceof FormData)
  const response = await fetch(url, {
    method,
    headers: {
      ...(key ? { authorization: `Bearer ${key}` } : {}),
      ...(json ? { 'content-type': 'application/json' } : {}),
      ...headers,
    },
    ...(body === undefined
      ? {}
      : { body: json ? JSON.stringify(body) : (body as string | FormData) }),
  })
  const text = await response.text()
  const isJson = text !== '' && response.headers.get('content-type')?.includes('json')
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: isJson ? JSON.parse(text) : undefined,
  }
}

async function receive(engine: Engine, to: string, about: { subject: string; inReplyTo?: string }) {
  const lines = [
    'From: Ann <ann@example.com>',
    `To: ${to}`,
    `Subject: ${about.subject}`,
    `Message-ID: <${about.subject.replace(/\W/g, '')}@example.com>`,
    ...(about.inReplyTo ? [`In-Reply-To: ${about.inReplyTo}`] : []),
    '',
    `Text of ${about.subject}`,
    '',
  ]
  const [received] = await createReceiver(engine).accept({
    raw: Buffer.from(lines.join('\r\n')),
    envelope: { mail_from: 'ann@example.com', rcpt_to: [to] },
    peer: { ip: '127.0.0.1', helo: 'example.com', tls: false },
    inboxes: await findAddresses(engine, [to]),
  })
  if (received === undefined) throw new Error(`nobody has the address ${to}`)
  return received.message_id
}

async function keyOf(
  engine: Engine,
  orgId: OrgId,
  wish: { scopes?: Scope[]; inboxIds?: string[]; agent?: boolean } = {},
) {
  const { key } = await makeKey(engine, orgId, {
    name: 'test key',
    scopes: wish.scopes ?? SCOPES,
    inboxIds: (wish.inboxIds as InboxId[] | undefined) ?? null,
    agent: wish.agent ?? false,
    interactive: false,
    expiresAt: null,
  })
  return key
}

async function newOrganization(engine: Engine, slug: string) {
  const orgId = newId('org', engine.clock.now())
  await engine.db.prisma.organizations.create({
    data: { id: orgId, name: slug, slug, created_at: engine.clock.now() },
  })
  return { orgId, key: await keyOf(engine, orgId) }
}
