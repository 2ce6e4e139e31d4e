// Authentication-Results that bear our name and are not ours: whoever sent the mail wrote them.
import { type Field, headerOf, unfolded } from './header.ts'

/** The name, as a word or between quotes, up to its version or the first result. RFC 8601 §2.2. */
const NAME = /^\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))/

/**
 * The mail without the Authentication-Results fields that claim to be `hostname`'s (RFC 8601 §5): what is parsed and
 * shown is read from this. The bytes that are kept stay as they came. The same buffer where there is no such field.
 */
export function withoutClaims(raw: Buffer, hostname: string): Buffer {
  const { fields } = headerOf(raw)
  const claims = fields.filter((field) => isClaim(field, hostname))
  if (claims.length === 0) return raw
  const parts: Buffer[] = []
  let start = 0
  for (const { line } of claims) {
    const at = line.byteOffset - raw.byteOffset
    parts.push(raw.subarray(start, at))
    start = nextLine(raw, at + line.length)
  }
  return Buffer.concat([...parts, raw.subarray(start)])
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

const LF = 0x0a

function nextLine(raw: Buffer, from: number): number {
  const at = raw.indexOf(LF, from)
  return at < 0 ? raw.length : at + 1
}
