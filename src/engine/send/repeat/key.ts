// A request that may be made twice: its Idempotency-Key, and what tells a repeat from another request under the same key.
import { createHash } from 'node:crypto'
import { ValidationFailed } from '../../errors.ts'

/** Two requests under one key and route are one request. */
export interface RepeatKey {
  route: string
  key: string
  /** Of the request without the key itself. */
  bodySha256: string
}

/** How long an answer is kept, in hours. */
export const KEPT_HOURS = 24
const MAX_KEY = 255
/** Printable ASCII, as a header can carry it. */
const KEY = /^[\x20-\x7e]+$/

/** The key of a request; undefined where it has none. Throws ValidationFailed for one that cannot be kept. */
export function repeatKey(
  route: string,
  { idempotency_key: key, ...body }: { idempotency_key?: string | undefined },
): RepeatKey | undefined {
  if (key === undefined) return undefined
  if (!KEY.test(key) || key.trim() === '' || key.length > MAX_KEY) {
    const message = `must be 1 to ${MAX_KEY} printable ASCII characters, such as a UUID`
    throw new ValidationFailed([{ field: 'idempotency_key', message }])
  }
  return { route, key, bodySha256: createHash('sha256').update(sorted(body)).digest('hex') }
}

/** JSON in which the order of fields says nothing. RFC 8785 §3.2.3. */
function sorted(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(sorted).join()}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  const fields = Object.entries(value).filter(([, field]) => field !== undefined)
  const members = fields
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, field]) => `${JSON.stringify(name)}:${sorted(field)}`)
  return `{${members.join()}}`
}
