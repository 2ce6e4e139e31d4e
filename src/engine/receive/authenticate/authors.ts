// Whom the reader takes for the author: the addresses in From, and what DMARC says of all their domains together.
import { flatMailboxes } from '../mime/mailboxes.js'
import { asciiDomain, askAhead, type Evidence, judgeDmarc } from './dmarc.ts'
import { type Header, sizeOf, unfolded } from './header.ts'
import type { Questions } from './resolver.ts'
import { type DmarcVerdict, quotable } from './verdict.ts'

/** One mail asks about no more domains than these. */
const MAX_DOMAINS = 4
/** The address parser takes about 1 ms for so much. */
const MAX_FROM_BYTES = 32 * 1024
/** Nor are more addresses of it kept. */
const MAX_NAMED = 20

export interface Authors {
  /** How many From fields there are; RFC 5322 §3.6 has exactly one. */
  fields: number
  addresses: string[]
  /** Each once, as A-labels. */
  domains: string[]
  /** The header or its From is too large to be read: there may be anybody. */
  unread: boolean
}

export function authorsOf({ fields, bodyStart }: Header): Authors {
  const from = fields.filter(({ key }) => key === 'from')
  const unread = bodyStart === undefined || sizeOf(from) > MAX_FROM_BYTES
  if (unread) return { fields: from.length, addresses: [], domains: [], unread }
  const addresses = from
    .flatMap((field) => flatMailboxes(unfolded(field)))
    .map(({ address }) => quotable(address))
    .filter((address) => address.includes('@'))
  const domains = addresses.map((address) => asciiDomain(address.split('@').pop() ?? ''))
  return {
    fields: from.length,
    addresses: addresses.slice(0, MAX_NAMED),
    domains: [...new Set(domains)].filter(Boolean),
    unread,
  }
}

export function askAheadForAuthors(questions: Questions, { domains }: Authors): void {
  for (const domain of domains.slice(0, MAX_DOMAINS)) askAhead(questions, domain)
}

/**
 * DMARC over every author's domain: the worst counts, so that a domain of one's own beside a foreign one proves
 * nothing. With several From fields readers differ in which they show: that never passes. RFC 7489 §6.6.1.
 */
export async function judgeAuthors(
  questions: Questions,
  { fields, domains, unread }: Authors,
  evidence: Evidence,
): Promise<DmarcVerdict> {
  const verdicts = await Promise.all(
    domains.slice(0, MAX_DOMAINS).map((domain) => judgeDmarc(questions, domain, evidence)),
  )
  if (fields > 1 || unread || domains.length > MAX_DOMAINS) verdicts.push(AMBIGUOUS)
  const [worst] = verdicts.sort((a, b) => severity(b) - severity(a))
  return worst ?? (fields === 0 ? NO_AUTHOR : AMBIGUOUS)
}

const NOTHING = {
  domain: '',
  policy: null,
  testing: false,
  aligned: { spf: false, dkim: false },
} as const
const NO_AUTHOR: DmarcVerdict = { ...NOTHING, result: 'none', comment: 'there is no From field' }
const AMBIGUOUS: DmarcVerdict = {
  ...NOTHING,
  result: 'permerror',
  comment: 'the author is not one address that can be judged',
}

const RESULTS = ['pass', 'none', 'permerror', 'temperror', 'fail']
const POLICIES = [null, 'none', 'quarantine', 'reject']

/** Among failures the strictest policy counts. */
const severity = ({ result, policy }: DmarcVerdict) =>
  RESULTS.indexOf(result) * POLICIES.length + POLICIES.indexOf(policy)
