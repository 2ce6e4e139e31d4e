/** What a receiver checks before it believes a webhook, in the words of the three documentations. */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Post } from './receiver.ts'

export interface Proofs {
  aithreads: boolean
  agentsend: boolean
  /** Standard Webhooks 1.0; its time must be within five minutes of ours. */
  standard: boolean
}

export const PROVEN: Proofs = { aithreads: true, agentsend: true, standard: true }

const TOLERANCE_S = 300

export function proofsOf(
  { headers, body }: Pick<Post, 'headers' | 'body'>,
  secret: string,
): Proofs {
  const header = (name: string) => String(headers[name] ?? '')
  const hex = createHmac('sha256', secret).update(body).digest('hex')
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64')
  const signed = `${header('webhook-id')}.${header('webhook-timestamp')}.${body}`
  const base64 = createHmac('sha256', key).update(signed).digest('base64')
  const age = Math.abs(Date.now() / 1000 - Number(header('webhook-timestamp')))
  return {
    aithreads: same(header('x-aithreads-signature'), `sha256=${hex}`),
    agentsend: same(header('x-agentsend-signature'), hex),
    standard:
      age < TOLERANCE_S &&
      header('webhook-signature')
        .split(' ')
        .some((one) => same(one, `v1,${base64}`)),
  }
}

function same(given: string, right: string): boolean {
  return given.length === right.length && timingSafeEqual(Buffer.from(given), Buffer.from(right))
}
