import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { AITHREADS } from '../../../src/doors/rest/aithreads.ts'
import { fieldsOf } from '../../../src/doors/rest/input.ts'
import { createHttpApp } from '../../../src/doors/rest/server.ts'
import { SCOPES } from '../../../src/engine/caller.ts'
import type { Engine } from '../../../src/engine/ports.ts'
import { expectGolden } from '../../golden/golden.ts'

/** A question that is too long for a query. */
const ASKED_IN_A_BODY = ['/v1/agent/inboxes/:inbox_id/messages/check']

/** The door before nothing: its table of routes, and what it says where none fits. */
const bare = () =>
  createHttpApp({
    engine: { log: { info() {} }, settings: {} } as unknown as Engine,
    allowedHosts: ['localhost'],
    allowedOrigins: [],
    ready: () => true,
  })

const shown = AITHREADS.map(({ method, path, operation }) => ({
  method,
  path,
  operation: operation.name,
  scope: operation.scope,
}))

test('the table of routes is the one that was agreed', () => {
  expectGolden('routes.json', JSON.stringify(shown, null, 2))
})

test('docs/rest.md lists exactly these routes, where the README and a 404 send people', async () => {
  const rows = AITHREADS.map(
    ({ method, path, operation }) =>
      `| \`${method} ${path}\` | \`${operation.scope}\` | ${operation.summary} |`,
  )
  const file = (name: string) => readFile(new URL(`../../../${name}`, import.meta.url), 'utf8')
  const listed = (await file('docs/rest.md')).split('\n').filter((line) => /^\| `[A-Z]/.test(line))
  expect(listed).toEqual(rows)
  expect(await file('README.md')).toContain('(docs/rest.md)')
  const answer = await bare().request('/v1/nothing', { headers: { host: 'localhost' } })
  const { error } = (await answer.json()) as { error: { fix: string } }
  expect([answer.status, error.fix]).toEqual([404, 'docs/rest.md lists the routes.'])
})

test.each(shown)('$method $path has a scope', ({ path, scope }) => {
  if (scope === 'any') expect(path).toBe('/v1/auth/me')
  else expect(SCOPES).toContain(scope)
})

test.each(shown)('$method $path: reading needs no right to write, and writing does', (route) => {
  const { operation } =
    AITHREADS.find(({ method, path }) => method === route.method && path === route.path) ?? {}
  expect(operation?.reads).toBe(route.method === 'GET' || ASKED_IN_A_BODY.includes(route.path))
  if (route.method !== 'GET') expect(route.scope).not.toMatch(/:read$|^any$/)
})

test('no route is in the table twice, and each parameter of a path is a field of the input', () => {
  const names = shown.map(({ method, path }) => `${method} ${path}`)
  expect(new Set(names).size).toBe(names.length)
  for (const route of AITHREADS) {
    for (const [, name = ''] of route.path.matchAll(/:(\w+)/g)) {
      expect(fieldsOf(route), `${route.path}`).toContain(route.aliases[name] ?? name)
    }
  }
})

test('what needs no key is a short list, and nothing else is served', () => {
  const app = bare()
  const known = new Set(AITHREADS.map(({ path }) => path))
  const others = app.routes.filter(({ path }) => !known.has(path) && path !== '/*')
  expect([...new Set(others.map(({ path }) => path))]).toEqual([
    '/healthz',
    '/readyz',
    '/unsubscribe/:token',
    '/.well-known/oauth-protected-resource',
    '/.well-known/oauth-protected-resource/mcp',
  ])
})
