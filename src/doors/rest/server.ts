// The HTTP door: guard, key, scope, input, operation, answer. It is built from the tables of routes and holds no rule of its own.
import { Hono, type MiddlewareHandler } from 'hono'
import { cors } from 'hono/cors'
import { type Caller, requireScope } from '../../engine/caller.ts'
import type { Engine } from '../../engine/ports.ts'
import { AITHREADS } from './aithreads.ts'
import { authenticate, challengeFor, METADATA_PATH, metadataOf } from './authenticate.ts'
import { readBody } from './body.ts'
import { answerTo, errorResponse } from './errors.ts'
import { checkOrigin } from './guard.ts'
import { inputOf } from './input.ts'
import { logRequests } from './request-log.ts'
import type { Answer, Route } from './route.ts'
import { otherMethods, unknownRoute } from './unknown.ts'
import { askToUnsubscribe, takeUnsubscribe, UNSUBSCRIBE_ROUTE } from './unsubscribe.ts'

export interface HttpParts {
  engine: Engine
  /** ALLOWED_HOSTS and ALLOWED_ORIGINS; the host of PUBLIC_URL is accepted besides. */
  allowedHosts: readonly string[]
  allowedOrigins: readonly string[]
  /** Whether mail and requests are taken. */
  ready: () => boolean
  /** The MCP door; it gets requests whose key is good. */
  mcp?: McpHandler
}

/** Answers one request to /mcp of a known caller. */
export type McpHandler = (request: Request, caller: Caller) => Promise<Response>

export type HttpEnv = { Variables: { caller: Caller; pattern: string } }
export type HttpApp = Hono<HttpEnv>

const MIB = 1024 * 1024
const MCP_BODY_LIMIT = 4 * MIB
/** Answers hold mail and keys: nothing keeps them, frames them or guesses another type. */
const CAREFUL = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
}
const MCP_CORS = cors({
  origin: (origin) => origin,
  allowMethods: ['GET', 'POST', 'DELETE', 'OPTIONS'],
  allowHeaders: [
    'Authorization',
    'Content-Type',
    'MCP-Protocol-Version',
    'Mcp-Method',
    'Mcp-Name',
    'Mcp-Session-Id',
    'Last-Event-ID',
    'x-api-key',
  ],
  exposeHeaders: ['Mcp-Session-Id', 'WWW-Authenticate', 'Mcp-Protocol-Version'],
})

/** Every request of the HTTP door. Serve it with `startHttp`. */
export function createHttpApp(parts: HttpParts): HttpApp {
  const { engine, allowedHosts, allowedOrigins } = parts
  const app: HttpApp = new Hono<HttpEnv>({ strict: false })
  const publicUrl = () => engine.settings.publicUrl
  app.use(logRequests(engine))
  app.use((c, next) => {
    checkOrigin(c.req.raw.headers, {
      hosts: allowedHosts,
      origins: allowedOrigins,
      publicUrl: publicUrl(),
    })
    return next()
  })
  addOpenRoutes(app, parts)
  if (parts.mcp) addMcp(app, engine, parts.mcp)
  for (const route of AITHREADS) addRoute(app, engine, route)
  for (const path of new Set(AITHREADS.map((route) => route.path))) {
    app.all(path, otherMethods(AITHREADS.filter((route) => route.path === path)))
  }
  app.notFound(unknownRoute)
  app.onError((error, c) =>
    answerTo(error, {
      log: engine.log,
      challenge: challengeFor(publicUrl(), c.req.path === '/mcp' ? '/mcp' : ''),
    }),
  )
  return app
}

/** What needs no key: whether we are alive, how a recipient unsubscribes, and how a client gets in. */
function addOpenRoutes(app: HttpApp, { engine, ready }: HttpParts): void {
  app.get('/healthz', known('/healthz'), (c) => c.json({ status: 'ok' }))
  app.get('/readyz', known('/readyz'), (c) =>
    ready()
      ? c.json({ status: 'ready' })
      : errorResponse(503, {
          code: 'not_ready',
          message: 'The server is starting or stopping.',
          fix: 'Ask again in a second.',
        }),
  )
  app.get(UNSUBSCRIBE_ROUTE, known(UNSUBSCRIBE_ROUTE), askToUnsubscribe(engine))
  app.post(UNSUBSCRIBE_ROUTE, known(UNSUBSCRIBE_ROUTE), takeUnsubscribe(engine))
  for (const resource of ['', '/mcp'] as const) {
    const path = `${METADATA_PATH}${resource}`
    app.use(path, MCP_CORS)
    app.get(path, known(path), (c) => c.json(metadataOf(engine.settings.publicUrl, resource)))
  }
}

function addMcp(app: HttpApp, engine: Engine, mcp: McpHandler): void {
  app.use('/mcp', MCP_CORS)
  app.all('/mcp', known('/mcp'), async (c) => {
    const caller = await authenticate(engine, c.req.raw.headers)
    c.set('caller', caller)
    return mcp(await whole(c.req.raw), caller)
  })
}

function addRoute(app: HttpApp, engine: Engine, route: Route): void {
  const { operation } = route
  app.on(route.method, route.path, known(route.path), async (c) => {
    const caller = await authenticate(engine, c.req.raw.headers)
    c.set('caller', caller)
    requireScope(caller, operation.scope)
    const input = await inputOf(route, c)
    return shown(route.answer(await operation.run(engine, caller, input)))
  })
}

/** A request of the platform's own kind, read within the limit: the adapter's lightweight one cannot be passed to every library. */
async function whole(request: Request): Promise<Request> {
  const { url, method, headers, signal } = request
  const bytes = await readBody(request, MCP_BODY_LIMIT)
  const body = bytes.length === 0 ? {} : { body: bytes }
  return new Request(url, { method, headers, signal, ...body })
}

function known(pattern: string): MiddlewareHandler<HttpEnv> {
  return (c, next) => {
    c.set('pattern', pattern)
    return next()
  }
}

function shown({ status, body, headers }: Answer): Response {
  const all = { ...CAREFUL, ...headers }
  if (body instanceof Uint8Array)
    return new Response(new Uint8Array(body), { status, headers: all })
  if (body === undefined) return new Response(null, { status, headers: all })
  return Response.json(body, { status, headers: all })
}
