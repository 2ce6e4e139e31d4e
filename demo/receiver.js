// A webhook endpoint as a program of the user's would have it: takes a POST, checks its signatures, answers 200.
import { createHmac, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'

const PATIENCE_MS = 10_000
const LOOK_EVERY_MS = 25

export async function openReceiver() {
  const posts = []
  const server = createServer(async (request, response) => {
    posts.push({ headers: request.headers, body: await text(request) })
    response.end()
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    url: `http://127.0.0.1:${server.address().port}/hook`,
    /** The POST of this event, as soon as it has come. */
    async told(event) {
      const until = performance.now() + PATIENCE_MS
      while (performance.now() < until) {
        const post = posts.find(({ body }) => JSON.parse(body).event === event)
        if (post) return post
        await pause(LOOK_EVERY_MS)
      }
      throw new Error(`no webhook ${event} came within ${PATIENCE_MS / 1000} s`)
    },
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}

/** Whether each of the three signatures proves this body. */
export function proofs({ headers, body }, secret) {
  const hex = createHmac('sha256', secret).update(body).digest('hex')
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64')
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`
  const base64 = createHmac('sha256', key).update(signed).digest('base64')
  return {
    'X-AIThreads-Signature': same(headers['x-aithreads-signature'], `sha256=${hex}`),
    'X-AgentSend-Signature': same(headers['x-agentsend-signature'], hex),
    'webhook-signature': same(headers['webhook-signature'], `v1,${base64}`),
  }
}

function same(given = '', right) {
  return given.length === right.length && timingSafeEqual(Buffer.from(given), Buffer.from(right))
}
