// Signatures of a webhook: the two headers of the products whose clients we serve, and Standard Webhooks.
import { createHmac } from 'node:crypto'

const SECRET_PREFIX = 'whsec_'

interface Signed {
  /** The event's id: the same on every attempt, the key to deduplicate by. */
  id: string
  at: Date
  body: string
}

/**
 * The headers that prove a body. The first two are keyed with the secret as it is shown (prefix
 * included), Standard Webhooks' with the bytes behind the prefix, over `id.timestamp.body`
 * (Standard Webhooks 1.0, "Signature scheme").
 */
export function signatureHeaders(secret: string, { id, at, body }: Signed): Record<string, string> {
  const hex = createHmac('sha256', secret).update(body).digest('hex')
  const timestamp = Math.floor(at.getTime() / 1000).toString()
  const key = Buffer.from(secret.replace(SECRET_PREFIX, ''), 'base64')
  const standard = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')
  return {
    'x-aithreads-signature': `sha256=${hex}`,
    'x-agentsend-signature': hex,
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,${standard}`,
  }
}
