// The DNS records that a domain needs, from its keys and from where this server is.
import type { Settings } from '../ports.ts'
import type { DnsRecord, DomainKeyRow, KeyedDomain } from './domain.ts'
import { spfTermOf } from './relays.ts'

export type Place = Pick<Settings, 'mailDomain' | 'smtpHostname' | 'outbound' | 'relayHost'>

/** A record as it ought to be, and the name under which a finding about it is kept. */
export interface Wanted extends Omit<DnsRecord, 'status' | 'fix'> {
  key: string
}

const MX_PRIORITY = 10

/** Three of DKIM, then MX, SPF and DMARC. */
export function wantedRecords(domain: KeyedDomain, place: Place): Wanted[] {
  const { domain: name } = domain
  return [
    ...domain.keys.map((key) => dkimRecord(domain, key, place)),
    {
      key: 'mx',
      purpose: 'mx',
      type: 'MX',
      name,
      value: place.smtpHostname,
      priority: MX_PRIORITY,
    },
    { key: 'spf', purpose: 'spf', type: 'TXT', name, value: `v=spf1 ${spfTerm(place)} ~all` },
    { key: 'dmarc', purpose: 'dmarc', type: 'TXT', name: `_dmarc.${name}`, value: DMARC },
  ]
}

/** Asks for reports of nothing and changes nobody's mail: the least that large receivers want to see. RFC 7489 §6.3. */
const DMARC = 'v=DMARC1; p=none'

export const dkimName = (selector: string, domain: string) => `${selector}._domainkey.${domain}`
export const findingKey = (selector: string) => `dkim:${selector}`

/** What authorizes the hosts that our mail leaves from. RFC 7208 §5. */
export function spfTerm({ outbound, relayHost, smtpHostname }: Place): string {
  const relay = outbound === 'relay' && relayHost !== undefined ? spfTermOf(relayHost) : undefined
  return relay ?? `a:${smtpHostname}`
}

/**
 * A CNAME into the mail domain's zone, so that a new key needs no change in the customer's. The mail domain
 * has no other zone to point to, and one that exists on this machine only can hold nothing.
 */
function dkimRecord({ domain }: KeyedDomain, key: DomainKeyRow, { mailDomain }: Place): Wanted {
  const name = dkimName(key.selector, domain)
  const value = `v=DKIM1; k=rsa; p=${key.public_key}`
  const own = { key: findingKey(key.selector), purpose: 'dkim', name } as const
  if (domain === mailDomain) return { ...own, type: 'TXT', value }
  const target = `${key.selector}.${domain}._domainkey.${mailDomain}`
  return {
    ...own,
    type: 'CNAME',
    value: target,
    alternative: { type: 'TXT', name, value },
    target: { type: 'TXT', name: target, value },
  }
}

/** What has to be in the DNS: of a CNAME, what stands behind it. */
export const publishedValue = ({ value, target }: Wanted) => target?.value ?? value

/** The record as the outside sees it. What was found counts as long as the same is wanted: settings and keys change. */
export function shownRecord(wanted: Wanted, findings: KeyedDomain['findings']): DnsRecord {
  const { key, ...record } = wanted
  const found = findings[key]
  if (found !== undefined && found.value === publishedValue(wanted)) {
    return { ...record, status: found.status, fix: found.fix }
  }
  return { ...record, status: 'pending', fix: 'Publish it, then have the domain checked.' }
}
