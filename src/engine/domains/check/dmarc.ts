// Whether the domain has a DMARC policy, its own or that of the domain above it. RFC 7489 §6.6.3.
import { getDomain } from 'tldts'
import type { Dns } from '../../ports.ts'
import type { Finding } from '../domain.ts'
import type { Wanted } from '../records.ts'
import { missing, tagsOf, textsOf, unknown, verified, wrong } from './found.ts'

const FRESH = { fresh: true }
const POLICIES = ['none', 'quarantine', 'reject']

export async function checkDmarc(
  dns: Dns,
  { name, value }: Wanted,
  domain: string,
): Promise<Finding> {
  const own = await policyAt(dns, name)
  const above = getDomain(domain)
  if (own.kind !== 'none' || above === null || above === domain) return findingOf(own, name, value)
  const inherited = await policyAt(dns, `_dmarc.${above}`)
  if (inherited.kind === 'none') return findingOf(own, name, value)
  return findingOf(inherited, `_dmarc.${above}`, value)
}

type Policy =
  | { kind: 'found' | 'none' | 'several' }
  | { kind: 'malformed'; text: string }
  | { kind: 'failed'; reason: string }

async function policyAt(dns: Dns, name: string): Promise<Policy> {
  const answer = await dns.resolve(name, 'TXT', FRESH)
  if (answer.kind === 'failed') return answer
  const [text, another] = textsOf(answer).filter((one) => /^v\s*=\s*DMARC1\s*(;|$)/.test(one))
  if (text === undefined) return { kind: 'none' }
  if (another !== undefined) return { kind: 'several' }
  const policy = tagsOf(text).get('p')?.toLowerCase() ?? ''
  return POLICIES.includes(policy) ? { kind: 'found' } : { kind: 'malformed', text }
}

function findingOf(policy: Policy, name: string, value: string): Finding {
  switch (policy.kind) {
    case 'found':
      return verified
    case 'none':
      return missing(`Publish the TXT record ${name} "${value}".`)
    case 'several':
      return wrong(
        `${name} has several records that begin with v=DMARC1, which makes all of them void: leave one.`,
      )
    case 'malformed':
      return wrong(
        `Give the TXT record ${name} a policy, p=none, p=quarantine or p=reject: it says "${policy.text}".`,
      )
    case 'failed':
      return unknown(name, policy.reason)
  }
}
