// What a request to send is answered: 201 and the mail, 202 where a person has to say yes, 200 and the verdict alone.
import type { Sent } from '../../engine/send/sent.ts'
import type { Answer } from './route.ts'

/** A repeat has the status and the body of the first time, and a header that says so. */
export function sent(output: Sent): Answer {
  if ('verdict' in output) return { status: 200, body: output }
  const { replayed, ...body } = output
  const status = 'review_id' in body ? 202 : 201
  return replayed ? { status, body, headers: { 'Idempotent-Replayed': 'true' } } : { status, body }
}
