// Whether one of our DKIM keys is published, behind a CNAME or as a TXT of the domain's own. RFC 6376 §3.6.
import type { Dns } from '../../ports.ts'
import type { DomainKeyRow, Finding } from '../domain.ts'
import type { Wanted } from '../records.ts'
import { hostName, missing, tagsOf, textsOf, unknown, verified, wrong } from './found.ts'

const FRESH = { fresh: true }
/** RFC 1035 §3.3: what one string of a record holds. Panels that know no second one cut here. */
const MAX_STRING = 255
const SHOWN_KEY = 24

/** The resolver follows the CNAME, so the key itself is what is looked at. */
export async function checkDkim(
  dns: Dns,
  record: Wanted,
  key: Pick<DomainKeyRow, 'public_key'>,
): Promise<Finding> {
  const answer = await dns.resolve(record.name, 'TXT', FRESH)
  if (answer.kind === 'failed') return unknown(record.name, answer.reason)
  const published = textsOf(answer).map(tagsOf).filter(isKey)
  const [only, another] = published
  if (only === undefined) return nothingThere(dns, record)
  if (another !== undefined) {
    return wrong(`${record.name} holds ${published.length} keys: leave only this one there.`)
  }
  const found = (only.get('p') ?? '').replace(/\s/g, '')
  if (found === key.public_key) return verified
  return { status: 'wrong', fix: await otherKey(dns, record, key, found) }
}

const isKey = (tags: Map<string, string>) => tags.has('p')

async function nothingThere(dns: Dns, record: Wanted): Promise<Finding> {
  if (record.type === 'TXT') {
    return missing(`Publish the TXT record ${record.name}.${await misplaced(dns, record)}`)
  }
  const target = await cnameOf(dns, record.name)
  if (target === hostName(record.value)) {
    return missing(
      `The CNAME is there, but nothing stands where it points: whoever runs the zone of the mail domain publishes the TXT record ${record.value} with the value under "target". Or replace the CNAME by the TXT record under "alternative".`,
    )
  }
  if (target !== undefined) {
    return wrong(`${record.name} is a CNAME to ${target}: let it point to ${record.value}.`)
  }
  const hint = await misplaced(dns, record)
  if (record.value.endsWith('.localhost')) {
    return missing(
      `Publish the TXT record under "alternative" at ${record.name}: a CNAME would lead nowhere, since the mail domain exists on this machine only.${hint}`,
    )
  }
  return missing(
    `Publish the CNAME ${record.name} to ${record.value}, or in its place the TXT record under "alternative".${hint}`,
  )
}

async function otherKey(
  dns: Dns,
  record: Wanted,
  { public_key: ours }: Pick<DomainKeyRow, 'public_key'>,
  found: string,
): Promise<string> {
  const target = record.type === 'CNAME' ? await cnameOf(dns, record.name) : undefined
  const place =
    target === undefined
      ? `the TXT record ${record.name}`
      : `the TXT record ${target}, where ${record.name} points,`
  if (found === '')
    return `Put the key back into ${place}: it is there as a revoked one (an empty p=).`
  if (ours.startsWith(found)) {
    return `Publish ${place} whole: its key is cut off after ${found.length} characters. Split the value into strings of at most ${MAX_STRING} characters, each in quotes.`
  }
  if (target !== undefined && target !== hostName(record.value)) {
    return `${record.name} is a CNAME to ${target}: let it point to ${record.value}.`
  }
  return `Replace ${place}: its key ${found.slice(0, SHOWN_KEY)}… is not this one (an older one, or another program's).`
}

async function cnameOf(dns: Dns, name: string): Promise<string | undefined> {
  const answer = await dns.resolve(name, 'CNAME', FRESH)
  const [target] = answer.kind === 'found' ? answer.records : []
  return target === undefined ? undefined : hostName(target)
}

/** Many panels add the domain to what is typed, so that a full name ends with it twice. */
async function misplaced(dns: Dns, { name }: Wanted): Promise<string> {
  const domain = name.slice(name.indexOf('._domainkey.') + '._domainkey.'.length)
  const doubled = `${name}.${domain}`
  const answer = await dns.resolve(doubled, 'TXT', FRESH)
  const there = answer.kind === 'found' || (await cnameOf(dns, doubled)) !== undefined
  if (!there) return ''
  return ` There is one at ${doubled}: your DNS panel adds the domain by itself, so type the name without ".${domain}".`
}
