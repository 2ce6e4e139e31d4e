// Our own Authentication-Results field. RFC 8601.
import type { Authentication } from './authenticate.ts'

const FOLD = ';\r\n\t'

/** The field with our name, folded after each method. What outsiders wrote is a token or a quoted string in it. */
export function authResults(hostname: string, { details, ...verdict }: Authentication): string {
  const { spf, dkim, dmarc, arc } = details
  const signatures = dkim.map(({ result, domain, selector, algorithm, comment }) =>
    method('dkim', result, comment, {
      'header.d': domain,
      'header.s': selector,
      'header.a': algorithm,
    }),
  )
  const methods = [
    method('spf', verdict.spf, spf.comment, { [`smtp.${spf.identity}`]: spf.domain }),
    ...(signatures.length > 0 ? signatures : [method('dkim', 'none')]),
    method('dmarc', verdict.dmarc, dmarc.comment, { 'header.from': dmarc.domain }),
    method('arc', verdict.arc, arc.comment),
  ]
  return `Authentication-Results: ${[hostname, ...methods].join(FOLD)}`
}

function method(
  name: string,
  result: string,
  comment?: string,
  properties: Record<string, string> = {},
): string {
  const written = Object.entries(properties)
    .filter(([, value]) => value !== '')
    .map(([property, value]) => ` ${property}=${word(value)}`)
  return `${name}=${result}${comment === undefined ? '' : ` (${inComment(comment)})`}${written.join('')}`
}

/** RFC 2045 §5.1: a token as it is, anything else between quotes. */
const word = (value: string) =>
  /^[\w!#$%&'*+.^`{|}~-]+$/.test(value) ? value : `"${value.replace(/["\\]/g, '\\$&')}"`

const inComment = (text: string) => text.replace(/[()\\]/g, '\\$&')
