// Authentication-Results that bear our name and are not ours: whoever sent the mail wrote them.
import { type Field, fieldOf, fieldRanges, unfolded } from './header.ts'

/** The name, as a word or between quotes, up to its version or the first result. RFC 8601 §2.2. */
const NAME = /^\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))/
/** mailsplit refuses to parse a header of more than 1 MiB; nothing of it is shown. */
const MAX_SHOWN_HEADER = 1024 * 1024
const FIRST_LETTER = /^[Aa]/

/**
 * The mail without the Authentication-Results fields that claim to be `hostname`'s (RFC 8601 §5): what is parsed and
 * shown is read from this. The bytes that are kept stay as they came. The same buffer where there is no such field.
 */
export function withoutClaims(raw: Buffer, hostname: string): Buffer {
  const parts: Buffer[] = []
  let kept = 0
  for (const [start, end] of fieldRanges(raw.subarray(0, MAX_SHOWN_HEADER))) {
    if (!FIRST_LETTER.test(String.fromCharCode(raw[start] ?? 0))) continue
    if (!isClaim(fieldOf(raw, start, end), hostname)) continue
    parts.push(raw.subarray(kept, start))
    kept = end
  }
  return kept === 0 ? raw : Buffer.concat([...parts, raw.subarray(kept)])
}

/** Whether a field is an Authentication-Results that claims our name, in any spelling of it. */
export function isClaim(field: Field, hostname: string): boolean {
  if (field.key !== 'authentication-results') return false
  const [, quoted, plain] = NAME.exec(withoutComments(unfolded(field))) ?? []
  const name = quoted?.replace(/\\(.)/g, '$1') ?? plain ?? ''
  return canonical(name) === canonical(hostname)
}

/** Comments may be nested; a quote in them opens nothing, nor does a bracket in a quoted string. RFC 5322 §3.2. */
function withoutComments(value: string): string {
  let depth = 0
  let quoted = false
  return value.replace(/\\.|./gs, (piece) => {
    if (piece === '"' && depth === 0) quoted = !quoted
    if (quoted) return piece
    if (piece === '(') depth += 1
    const inside = depth > 0
    if (piece === ')' && inside) depth -= 1
    return inside ? '' : piece
  })
}

const canonical = (name: string) => name.trim().toLowerCase().replace(/\.$/, '')
