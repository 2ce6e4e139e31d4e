// The HTTP server: where it listens, how long it waits for slow requests, how it ends.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import type { Engine } from '../../engine/ports.ts'
import { errorResponse } from './errors.ts'
import type { HttpApp } from './server.ts'

const SECOND = 1000
const KIB = 1024
/** A whole request: 20 MB take 100 s on a line of 1.6 Mbit/s. */
const REQUEST_TIMEOUT_MS = 120 * SECOND
const HEADERS_TIMEOUT_MS = 10 * SECOND
const CHECK_EVERY_MS = 5 * SECOND
/** Longer than the 60 s after which common proxies drop an idle connection, so that they drop it first. */
const KEEP_ALIVE_MS = 65 * SECOND
const MAX_HEADER_BYTES = 16 * KIB
const MAX_CONNECTIONS = 1000
/** The process has 2 s to end; jobs and database need the rest. */
const GRACE_MS = 1500

export interface HttpListener {
  host: string
  port: number
  /** Takes no more requests, lets the running ones finish for 1.5 s, then closes what is left. */
  close(): Promise<void>
}

interface ListenOptions {
  host: string
  /** 0: a free one. */
  port: number
  log: Engine['log']
  /** Tests of slow requests do not wait for minutes. */
  timeouts?: { headersMs?: number; requestMs?: number; checkMs?: number }
}

/** Serves the app. Rejects with the system's error where the address cannot be had (EADDRINUSE, EACCES). */
export async function startHttp(app: HttpApp, options: ListenOptions): Promise<HttpListener> {
  const { timeouts = {}, log } = options
  const server = createServer(
    {
      headersTimeout: timeouts.headersMs ?? HEADERS_TIMEOUT_MS,
      requestTimeout: timeouts.requestMs ?? REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: timeouts.checkMs ?? CHECK_EVERY_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
    },
    getRequestListener(app.fetch, {
      overrideGlobalObjects: false,
      errorHandler: () => errorResponse(400, UNREADABLE),
    }),
  )
  server.maxConnections = MAX_CONNECTIONS
  server.on('clientError', answerBrokenRequest)
  server.listen(options.port, options.host)
  const close = closing(server)
  await once(server, 'listening')
  server.on('error', (error) => log.error({ error: error.message }, 'http server failed'))
  const { address: host, port } = server.address() as AddressInfo
  return { host, port, close }
}

/** Connections that fall idle while we wait are closed at once; Node alone would keep them for KEEP_ALIVE_MS. */
function closing(server: Server): () => Promise<void> {
  const running = new Set<ServerResponse>()
  let ended = false
  server.prependListener('request', (_: IncomingMessage, response: ServerResponse) => {
    running.add(response)
    if (ended) response.setHeader('Connection', 'close')
    response.once('close', () => {
      running.delete(response)
      if (ended) server.closeIdleConnections()
    })
  })
  return () =>
    new Promise((resolve) => {
      ended = true
      const deadline = setTimeout(() => server.closeAllConnections(), GRACE_MS)
      server.close(() => {
        clearTimeout(deadline)
        resolve()
      })
      for (const response of running) {
        if (!response.headersSent) response.setHeader('Connection', 'close')
      }
      server.closeIdleConnections()
    })
}

const UNREADABLE = {
  code: 'bad_request',
  message: 'This is no HTTP request that can be read: its target or its Host header is malformed.',
  fix: 'Send the path and the Host header as RFC 9112 §3 says.',
}

const BROKEN: Record<string, { status: string; code: string; message: string }> = {
  HPE_HEADER_OVERFLOW: {
    status: '431 Request Header Fields Too Large',
    code: 'headers_too_large',
    message: `The headers are larger than ${MAX_HEADER_BYTES / KIB} KB.`,
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: '408 Request Timeout',
    code: 'request_timeout',
    message: 'The request did not arrive in time.',
  },
}

/** What Node's parser refuses never becomes a request; it is answered on the bare connection in the usual shape. */
function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const { status, code, message } = BROKEN[error.code ?? ''] ?? {
    status: '400 Bad Request',
    ...UNREADABLE,
  }
  const body = JSON.stringify({
    error: { code, message, fix: 'Send the request again, well formed.' },
  })
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  )
}
