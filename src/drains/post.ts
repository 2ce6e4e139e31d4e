// Webhook POSTs to the world: to addresses that may be reached, within a deadline, no redirects, no shared connections.
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import type { HttpPoster, PostResult } from '../engine/ports.ts'
import { type Lookup, lookupAddresses } from './lookup.ts'
import { type Reach, reachable } from './reachable.ts'

export interface PosterOptions extends Reach {
  /** By default the DNS, then the system. */
  lookup?: Lookup
}

/** How much of an answer is read; the rest stays unread and the connection is closed. */
const ANSWER_LIMIT_BYTES = 64 * 1024
/** Setting a URL waits this long for its name; a name that is not there yet may come. */
const ALLOWED_LOOKUP_MS = 3_000

type PostRequest = Parameters<HttpPoster['post']>[0]
type Outcome =
  | { kind: 'answered'; status: number; body: string; retryAfterSeconds: number | null }
  | { kind: 'failed' | 'forbidden'; reason: string }

/** An address that may not be dialled. Thrown inside the dialling, answered as `forbidden`. */
class Forbidden extends Error {
  override readonly name = 'Forbidden'
}

/** The guard looks at the address that is dialled, so neither a spelling nor a change in the DNS passes it. */
export function createPoster(options: PosterOptions): HttpPoster {
  return {
    async post(request) {
      const started = performance.now()
      const outcome = await attempt(request, options)
      return { ...outcome, durationMs: Math.round(performance.now() - started) } as PostResult
    },
    allowed: (url) => allowed(url, options),
  }
}

async function attempt(request: PostRequest, options: PosterOptions): Promise<Outcome> {
  const url = parse(request.url)
  if (!url) return { kind: 'failed', reason: 'not an http or https URL' }
  const literal = literalAddress(url)
  const verdict = literal === null ? { ok: true as const } : reachable(literal, options)
  if (!verdict.ok) return { kind: 'forbidden', reason: verdict.reason }
  try {
    return await exchange(url, request, options)
  } catch (error) {
    const kind = error instanceof Forbidden ? 'forbidden' : 'failed'
    return { kind, reason: words(error) }
  }
}

function exchange(url: URL, request: PostRequest, options: PosterOptions): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest
    const sent: ClientRequest = send(url, {
      method: 'POST',
      // A connection of its own: nothing of one endpoint is left for the next.
      agent: false,
      lookup: guardedLookup(options),
      headers: { ...request.headers, 'content-length': Buffer.byteLength(request.body) },
    })
    const deadline = setTimeout(
      () => sent.destroy(new Error(`no answer within ${request.timeoutMs} ms`)),
      request.timeoutMs,
    )
    const unanswered = () => reject(new Error('closed without an answer'))
    sent.on('error', reject).on('close', unanswered)
    // Node.js tells of 101 Switching Protocols here alone, and hands over a connection that nobody else closes.
    sent.on('upgrade', ({ statusCode = 101 }, socket) => {
      resolve({ kind: 'answered', status: statusCode, body: '', retryAfterSeconds: null })
      socket.destroy()
    })
    sent.on('response', (response) => {
      // From here on the status is the answer: a fault, or the deadline, only cuts the body short.
      sent
        .off('error', reject)
        .off('close', unanswered)
        .on('error', () => {})
      readAnswer(response).then((body) => {
        resolve({
          kind: 'answered',
          status: response.statusCode ?? 0,
          body,
          retryAfterSeconds: retryAfter(response.headers['retry-after'], Date.now()),
        })
        sent.destroy()
      }, reject)
    })
    sent.on('close', () => clearTimeout(deadline))
    sent.end(request.body)
  })
}

/** What came until the limit, the end, or the deadline: the status line is the answer, and it was in time. */
function readAnswer(response: IncomingMessage): Promise<string> {
  return new Promise((resolve) => {
    const parts: Buffer[] = []
    let size = 0
    const end = () => resolve(Buffer.concat(parts).subarray(0, ANSWER_LIMIT_BYTES).toString())
    response.on('data', (part: Buffer) => {
      parts.push(part)
      size += part.length
      if (size >= ANSWER_LIMIT_BYTES) end()
    })
    response.on('end', end)
    response.on('error', end)
    response.on('close', end)
  })
}

function guardedLookup(options: PosterOptions): LookupFunction {
  return (name, { all }, done) => {
    allowedAddresses(name, options).then(
      (addresses) => {
        const [first] = addresses
        if (all || !first) done(null, addresses)
        else done(null, first.address, first.family)
      },
      (error: Error) => done(error, []),
    )
  }
}

/** The addresses of a name that may be dialled; throws Forbidden where none may. */
async function allowedAddresses(name: string, options: PosterOptions) {
  const addresses = await (options.lookup ?? lookupAddresses)(name)
  const open = addresses.filter(({ address }) => reachable(address, options).ok)
  if (open.length > 0) return open
  const verdict = reachable(addresses[0]?.address ?? '0.0.0.0', options)
  throw new Forbidden(`${name}: ${verdict.ok ? 'no address' : verdict.reason}`)
}

async function allowed(text: string, options: PosterOptions): ReturnType<HttpPoster['allowed']> {
  const url = parse(text)
  if (!url) return { ok: false, reason: 'it is not an http or https URL' }
  const literal = literalAddress(url)
  if (literal !== null) return reachable(literal, options)
  let timer: NodeJS.Timeout | undefined
  const patience = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ALLOWED_LOOKUP_MS)
  })
  try {
    await Promise.race([allowedAddresses(url.hostname, options), patience])
    return { ok: true }
  } catch (error) {
    // A name that cannot be resolved now is no private address; each attempt looks again.
    return error instanceof Forbidden ? { ok: false, reason: error.message } : { ok: true }
  } finally {
    clearTimeout(timer)
  }
}

function parse(text: string): URL | null {
  const url = URL.canParse(text) ? new URL(text) : null
  return url && ['http:', 'https:'].includes(url.protocol) ? url : null
}

/** The URL parser has already read 127.1, 2130706433 and 0x7f.1 as what they are (WHATWG URL §3.5). */
function literalAddress(url: URL): string | null {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  return isIP(host) === 0 ? null : host
}

/** RFC 9110 §10.2.3: seconds, or a date. Null where there is none or it makes no sense. */
function retryAfter(header: string | undefined, now: number): number | null {
  if (header === undefined) return null
  if (/^\s*\d+\s*$/.test(header)) return Number(header)
  const date = Date.parse(header)
  return Number.isNaN(date) ? null : Math.max(0, Math.ceil((date - now) / 1000))
}

/** Dialling several addresses fails with an AggregateError whose own message is empty. */
function words(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(words).join('; ')
  return error instanceof Error ? error.message || error.name : String(error)
}
