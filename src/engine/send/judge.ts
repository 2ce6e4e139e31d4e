// What would become of a mail, as an answer instead of an error.
import { Refusal } from '../errors.ts'
import type { Judged } from './sent.ts'
import type { Verdict } from './verdict.ts'

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

/** A verdict as it is told. */
export const judgedBy = (verdict: Verdict): Judged => ({
  verdict: verdict.kind,
  ...wouldHaveBeen(verdict),
  reasons: verdict.reasons ?? [],
})

/** In dry-run nothing waits for a person; said is what would have. */
export const wouldHaveBeen = (verdict: Verdict): Pick<Judged, 'would_have_been'> =>
  verdict.kind === 'allow' && verdict.wouldHaveBeen
    ? { would_have_been: verdict.wouldHaveBeen }
    : {}
