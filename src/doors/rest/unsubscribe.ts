// The page behind the link by which a recipient unsubscribes. It needs no key: whoever holds the link got the mail. RFC 8058.
import type { Context } from 'hono'
import type { Engine } from '../../engine/ports.ts'
import {
  type Subscription,
  subscriptionOf,
  UNSUBSCRIBE_PATH,
  unsubscribe,
} from '../../engine/send/suppressions/unsubscribe.ts'
import { readBody } from './body.ts'

export const UNSUBSCRIBE_ROUTE = `${UNSUBSCRIBE_PATH}/:token`

type Parts = Pick<Engine, 'db' | 'clock' | 'jobs' | 'blobs'>

/** A mail program sends one short field. */
const FORM_LIMIT = 4096

/** Asks first: programs that look at the links of a mail follow them with GET, and must change nothing. RFC 8058 §1. */
export const askToUnsubscribe = (engine: Parts) => async (c: Context) => {
  const found = await subscriptionOf(engine, c.req.param('token') ?? '')
  return found === undefined ? page(404, UNKNOWN) : page(200, question(found))
}

/** RFC 8058 §3.2: done at once, with no cookie, no sign-in and no redirect. */
export const takeUnsubscribe = (engine: Parts) => async (c: Context) => {
  const found = await subscriptionOf(engine, c.req.param('token') ?? '')
  if (found === undefined) return page(404, UNKNOWN)
  const { url, method, headers } = c.req.raw
  const body = await readBody(c.req.raw, FORM_LIMIT)
  const request = new Request(url, { method, headers, body })
  const form = await request.formData().catch(() => new FormData())
  if (form.get('List-Unsubscribe') !== 'One-Click') return page(400, question(found))
  await unsubscribe(engine, found.ours, found.email)
  engine.jobs.wake()
  return page(200, done(found))
}

const UNKNOWN =
  '<h1>This link is not known</h1><p>It is incomplete, or the address that wrote to you is gone and writes no more.</p>'

const question = ({ email, address }: Subscription) =>
  `<h1>Unsubscribe</h1><p>${escaped(address)} shall not write to ${escaped(email)} any more.</p>
<form method="post"><input type="hidden" name="List-Unsubscribe" value="One-Click"><button>Unsubscribe</button></form>`

const done = ({ email, address }: Subscription) =>
  `<h1>Unsubscribed</h1><p>${escaped(address)} does not write to ${escaped(email)} any more. It still answers what you write to it.</p>`

/** No script, no style, nothing from elsewhere; the Origin of the form stays ours, so the referrer is not hidden from us. */
function page(status: number, content: string): Response {
  const html = `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="robots" content="noindex"><title>Unsubscribe</title></head><body>${content}</body></html>\n`
  return new Response(html, {
    status,
    headers: {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy':
        "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
      'Cache-Control': 'no-store',
      'Referrer-Policy': 'same-origin',
      'X-Content-Type-Options': 'nosniff',
    },
  })
}

const ENTITIES: Record<string, string> = { '<': '&lt;', '>': '&gt;', '&': '&amp;', '"': '&quot;' }
const escaped = (text: string) => text.replace(/[<>&"]/g, (letter) => ENTITIES[letter] ?? '')
