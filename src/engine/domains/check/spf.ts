// Whether the domain's SPF record lets our mail pass. RFC 7208.
import type { Dns } from '../../ports.ts'
import type { Finding } from '../domain.ts'
import type { Wanted } from '../records.ts'
import { type Holds, missing, textsOf, unknown, verified, wrong } from './found.ts'

const FRESH = { fresh: true }
/** RFC 7208 §4.5: the version, then a space or nothing. */
const RECORD = /^v=spf1(?: |$)/i
/** Terms after which nothing is looked at any more. RFC 7208 §5.1, §6.1. */
const LAST = /^([-+?~]?all$|redirect=)/i
/** RFC 7208 §4.6.4. */
const MAX_LOOKUPS = 10

/** @param term what authorizes our hosts; @param passes whether their addresses pass in another way */
export async function checkSpf(
  dns: Dns,
  { name, value }: Wanted,
  term: string,
  passes: () => Promise<Holds>,
): Promise<Finding> {
  const answer = await dns.resolve(name, 'TXT', FRESH)
  if (answer.kind === 'failed') return unknown(name, answer.reason)
  const records = textsOf(answer).filter((text) => RECORD.test(text))
  const [record] = records
  if (record === undefined) return missing(`Publish the TXT record ${name} "${value}".`)
  if (records.length > 1) {
    return wrong(
      `${name} has ${records.length} records that begin with v=spf1, which makes all of them void (RFC 7208 §3.2): join them to one, "${joined(records, term)}".`,
    )
  }
  const named = await names(dns, record, term, { left: MAX_LOOKUPS })
  if (named === 'yes') return verified
  const passed = await passes()
  if (passed === 'yes') return verified
  const unanswered = [named, passed].find((holds) => holds !== 'no')
  if (unanswered !== undefined) return unknown(unanswered.name, unanswered.reason)
  return wrong(`Change the TXT record of ${name} to "${withTerm(record, term)}".`)
}

/** Whether a record holds the term where it counts, itself or in what it leads to. */
async function names(
  dns: Dns,
  record: string,
  term: string,
  lookups: { left: number },
): Promise<Holds> {
  let otherwise: Holds = 'no'
  for (const written of termsOf(record)) {
    const plain = written.toLowerCase().replace(/^\+/, '')
    const holds = plain === term ? 'yes' : await leadsTo(dns, plain, term, lookups)
    if (holds === 'yes') return 'yes'
    if (otherwise === 'no') otherwise = holds
    if (LAST.test(plain)) break
  }
  return otherwise
}

async function leadsTo(
  dns: Dns,
  plain: string,
  term: string,
  lookups: { left: number },
): Promise<Holds> {
  const [, name] = /^(?:include:|redirect=)([^%]+)$/.exec(plain) ?? []
  if (name === undefined || lookups.left === 0) return 'no'
  lookups.left -= 1
  const answer = await dns.resolve(name, 'TXT', FRESH)
  if (answer.kind === 'failed') return { name, reason: answer.reason }
  const found = textsOf(answer).find((text) => RECORD.test(text))
  return found === undefined ? 'no' : names(dns, found, term, lookups)
}

const termsOf = (record: string) => record.split(' ').slice(1).filter(Boolean)

/** The record with the term before the one that ends it. */
function withTerm(record: string, term: string): string {
  const terms = termsOf(record)
  const end = terms.findIndex((written) => LAST.test(written))
  const place = end < 0 ? terms.length : end
  return ['v=spf1', ...terms.slice(0, place), term, ...terms.slice(place)].join(' ')
}

function joined(records: readonly string[], term: string): string {
  const terms = records.flatMap(termsOf).filter((written) => !LAST.test(written))
  const last = records.flatMap(termsOf).find((written) => LAST.test(written)) ?? '~all'
  return ['v=spf1', ...new Set([...terms, term]), last].join(' ')
}
