// Our own Authentication-Results field. RFC 8601.
import type { Authentication } from './authenticate.ts'

const FOLD = ';\r\n\t'
/** Anything else an outsider may have put there to be read as a result; it is left out. */
const NAME = /^[\w.-]{1,253}$/

/** The field with our name, folded after each method. Of what outsiders wrote only names are in it. */
export function authResults(hostname: string, { details, ...verdict }: Authentication): string {
  const { spf, dkim, dmarc } = details
  const signatures = dkim.map(({ result, domain, selector, algorithm }) =>
    method('dkim', result, {
      'header.d': domain,
      'header.s': selector,
      'header.a': algorithm,
    }),
  )
  const methods = [
    method('spf', verdict.spf, { [`smtp.${spf.identity}`]: spf.domain }),
    ...(signatures.length > 0 ? signatures : [method('dkim', 'none')]),
    method('dmarc', verdict.dmarc, { 'header.from': dmarc.domain }),
    method('arc', verdict.arc),
  ]
  return `Authentication-Results: ${[hostname, ...methods].join(FOLD)}`
}

function method(name: string, result: string, properties: Record<string, string> = {}): string {
  const written = Object.entries(properties).filter(([, value]) => NAME.test(value))
  return [`${name}=${result}`, ...written.map((pair) => pair.join('='))].join(' ')
}
