// What would become of a mail, as an answer instead of an error.
import { Refusal } from '../errors.ts'
import type { Judged } from './sent.ts'

/** Of refusals that say what stands against a mail that is well formed: 403, 409, 422, 429. */
const AS_THINGS_STAND: readonly number[] = [403, 409, 422, 429]

/** The verdict that a refusal amounts to; undefined where the request itself is wrong, or something broke. */
export function verdictOn(error: unknown): Judged | undefined {
  if (!(error instanceof Refusal) || !AS_THINGS_STAND.includes(error.status)) return undefined
  return error.code === 'thread_moved' ? undefined : denied(error)
}

/** Every reason that a refusal names. */
export function denied({ code, message, fix }: Refusal): Judged {
  return { verdict: 'deny', reasons: [{ code, message, ...(fix === '' ? {} : { fix }) }] }
}
