// Whether a host's addresses pass a domain's SPF, however its record says so. RFC 7208, by mailauth.
import { spf } from 'mailauth/lib/spf/index.js'
import type { Dns, DnsType } from '../../ports.ts'
import { addressesOf } from './mx.ts'

/** True where the host has addresses and all of them pass. */
export async function spfPasses(dns: Dns, domain: string, host: string): Promise<boolean> {
  const addresses = await addressesOf(dns, host)
  const results = await Promise.all(
    addresses.map(async (ip) => {
      const client = { ip, helo: host, mta: host, sender: `postmaster@${domain}` }
      const { status } = await spf({ ...client, resolver: resolverOver(dns) })
      return status.result
    }),
  )
  return results.length > 0 && results.every((result) => result === 'pass')
}

/** mailauth's seam: records, or an error whose code tells why there are none. */
function resolverOver(dns: Dns) {
  return async (name: string, type: string): Promise<string[]> => {
    const answer = await dns.resolve(name, type as DnsType, { fresh: true })
    if (answer.kind === 'found') return answer.records as string[]
    const code = answer.kind === 'failed' ? 'ETIMEOUT' : answer.exists ? 'ENODATA' : 'ENOTFOUND'
    throw Object.assign(new Error(`no ${type} of ${name}`), { code })
  }
}
