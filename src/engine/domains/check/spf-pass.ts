// Whether a host's addresses pass a domain's SPF, however its record says so. RFC 7208, by mailauth.
import { spf } from 'mailauth/lib/spf/index.js'
import type { Dns, DnsType } from '../../ports.ts'
import type { Holds, NoAnswer } from './found.ts'
import { addressesOf } from './mx.ts'

/** Yes where the host has addresses and all that are known pass. */
export async function spfPasses(dns: Dns, domain: string, host: string): Promise<Holds> {
  const { found, failed } = await addressesOf(dns, host)
  const unanswered: NoAnswer[] = failed === undefined ? [] : [failed]
  const resolver = resolverOver(dns, unanswered)
  const results = await Promise.all(
    found.map(async (ip) => {
      const client = { ip, helo: host, mta: host, sender: `postmaster@${domain}` }
      return (await spf({ ...client, resolver })).status.result
    }),
  )
  const others = results.filter((result) => result !== 'pass')
  if (results.length > 0 && others.length === 0) return 'yes'
  return others.every((result) => result === 'temperror') ? (unanswered[0] ?? 'no') : 'no'
}

/** mailauth's seam: records, or an error whose code tells why there are none. */
function resolverOver(dns: Dns, unanswered: NoAnswer[]) {
  return async (name: string, type: string): Promise<string[]> => {
    const answer = await dns.resolve(name, type as DnsType, { fresh: true })
    if (answer.kind === 'found') return answer.records as string[]
    if (answer.kind === 'failed') unanswered.push({ name, reason: answer.reason })
    const code = answer.kind === 'failed' ? 'ETIMEOUT' : answer.exists ? 'ENODATA' : 'ENOTFOUND'
    throw Object.assign(new Error(`no ${type} of ${name}`), { code })
  }
}
