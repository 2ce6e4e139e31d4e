// DMARC: whether SPF or DKIM vouch for the domain that the reader sees, and what it asks for where they do not.
// RFC 7489. Not mailauth's: version 4.13.3 takes relaxed alignment where a domain asks for a strict one.
import { getDomain } from 'tldts'
import { toALabels } from '../../domain-name.ts'
import type { Questions } from './resolver.ts'
import { type DmarcVerdict, quotable, type SignatureVerdict, type SpfVerdict } from './verdict.ts'

/** The private part of the list too: who has a name under github.io is not GitHub. */
const WHOLE_LIST = { allowPrivateDomains: true }
const POLICIES = ['none', 'quarantine', 'reject'] as const

export interface Evidence {
  spf: SpfVerdict
  signatures: readonly SignatureVerdict[]
}

interface Published {
  tags: Map<string, string>
  /** Found at the organizational domain, not at the author's own. */
  inherited: boolean
}

/** The form in which domains are compared: A-labels, lower case, no dot at the end. */
export const asciiDomain = (domain: string) =>
  toALabels(domain.trim().replace(/\.$/, '')) || domain.trim().toLowerCase()

/** The registered domain above a name (RFC 7489 §3.2), or the name itself where there is none. */
export function organizationalDomain(domain: string): string {
  const known = ORGANIZATIONAL.get(domain)
  if (known !== undefined) return known
  const found = getDomain(domain, WHOLE_LIST) ?? domain
  if (ORGANIZATIONAL.size === MAX_ORGANIZATIONAL) ORGANIZATIONAL.clear()
  if (domain.length <= MAX_NAME) ORGANIZATIONAL.set(domain, found)
  return found
}

/** Each mail asks several times, and the next one from there again. */
const ORGANIZATIONAL = new Map<string, string>()
const MAX_ORGANIZATIONAL = 1_000
/** RFC 1035 §3.1. */
const MAX_NAME = 255

/** Starts the questions that `judgeDmarc` asks about a domain. */
export function askAhead(questions: Questions, domain: string): void {
  questions.ahead(`_dmarc.${domain}`, 'TXT')
}

/** Judges one author's domain (A-labels) by what SPF and DKIM came to. RFC 7489 §6.6. */
export async function judgeDmarc(
  questions: Questions,
  domain: string,
  evidence: Evidence,
): Promise<DmarcVerdict> {
  const nothing = (): Omit<DmarcVerdict, 'result'> => ({
    domain: quotable(domain),
    policy: null,
    testing: false,
    aligned: alignment(domain, evidence, NO_TAGS),
  })
  let published: Published | undefined
  try {
    published = await discover(questions, domain)
  } catch {
    return { ...nothing(), result: 'temperror', comment: 'the policy could not be looked up' }
  }
  if (published === undefined) return { ...nothing(), result: 'none' }
  const policy = policyOf(published)
  if (policy === undefined) {
    return { ...nothing(), result: 'permerror', comment: 'the record names no policy' }
  }
  const aligned = alignment(domain, evidence, published.tags)
  return {
    result: outcome(aligned, domain, evidence),
    domain: quotable(domain),
    policy,
    testing: isTesting(published.tags),
    aligned,
  }
}

/** A check that could not be made might have passed: that is no failure (RFC 7489 §6.6.2, step 5). */
function outcome(
  aligned: DmarcVerdict['aligned'],
  domain: string,
  { spf, signatures }: Evidence,
): DmarcVerdict['result'] {
  if (aligned.spf || aligned.dkim) return 'pass'
  const undecided = [spf, ...signatures].some(
    (one) => one.result === 'temperror' && isAligned(one.domain, domain, false),
  )
  return undecided ? 'temperror' : 'fail'
}

const NO_TAGS = new Map<string, string>()

function alignment(domain: string, { spf, signatures }: Evidence, tags: Map<string, string>) {
  const strict = (tag: string) => tags.get(tag)?.toLowerCase() === 's'
  const vouches = (one: { result: string; domain: string }, tag: string) =>
    one.result === 'pass' && isAligned(one.domain, domain, strict(tag))
  return {
    spf: vouches(spf, 'aspf'),
    dkim: signatures.some((signature) => vouches(signature, 'adkim')),
  }
}

function isAligned(proven: string, author: string, strict: boolean): boolean {
  const [a, b] = [asciiDomain(proven), asciiDomain(author)]
  return a === b || (!strict && organizationalDomain(a) === organizationalDomain(b))
}

/** RFC 7489 §6.6.3: the record of the domain itself, else that of the organizational domain. */
async function discover(questions: Questions, domain: string): Promise<Published | undefined> {
  const own = await recordAt(questions, domain)
  if (own !== undefined) return { tags: own, inherited: false }
  const above = organizationalDomain(domain)
  if (above === domain) return undefined
  const inherited = await recordAt(questions, above)
  return inherited === undefined ? undefined : { tags: inherited, inherited: true }
}

async function recordAt(questions: Questions, domain: string) {
  try {
    const records = await questions.resolve(`_dmarc.${domain}`, 'TXT')
    const [record, ...more] = records
      .map((strings) => strings.join(''))
      .filter((text) => /^v\s*=\s*DMARC1\s*(;|$)/.test(text))
    // Several records are as good as none.
    return record === undefined || more.length > 0 ? undefined : tagsOf(record)
  } catch (error) {
    if ((error as { code?: string }).code === 'ETIMEOUT') throw error
    return undefined
  }
}

function tagsOf(record: string): Map<string, string> {
  return new Map(
    record.split(';').flatMap((part) => {
      const [, name, value] = /^\s*([a-z]+)\s*=\s*(.*?)\s*$/i.exec(part) ?? []
      return name === undefined || value === undefined ? [] : [[name.toLowerCase(), value]]
    }),
  )
}

/** A subdomain follows sp where it inherits; an unreadable policy beside a report address counts as none. */
function policyOf({ tags, inherited }: Published): DmarcVerdict['policy'] | undefined {
  const written = (inherited ? tags.get('sp') : undefined) ?? tags.get('p') ?? ''
  const known = POLICIES.find((policy) => policy === written.toLowerCase())
  return known ?? (tags.has('rua') ? 'none' : undefined)
}

function isTesting(tags: Map<string, string>): boolean {
  const share = tags.get('pct')
  return tags.get('t')?.toLowerCase() === 'y' || (share !== undefined && Number(share) < 100)
}
