// SPF: whether this host may use that domain in MAIL FROM. RFC 7208, by mailauth.
import { spf } from 'mailauth/lib/spf/index.js'
import type { Clock } from '../../../platform/clock.ts'
import type { DnsType } from '../../ports.ts'
import { asciiDomain } from './dmarc.ts'
import type { Questions } from './resolver.ts'
import { preparedRecord } from './spf-record.ts'
import { quotable, type Result, type SpfVerdict } from './verdict.ts'

export interface Client {
  ip: string
  helo: string
  /** The envelope sender; empty for bounces, and then HELO is judged. RFC 7208 §2.4. */
  mailFrom: string
}

export type SpfJudge = (
  questions: Questions,
  client: Client,
  hostname: string,
) => Promise<SpfVerdict>

/** As long as the DNS cache keeps what is not there. */
const KEEP_MS = 60_000
const MAX_CLIENTS = 10_000

/**
 * Judges a client once a minute: whoever writes often comes from the same address. What failed is tried again.
 * At most 10,000 clients; the one that was judged longest ago goes first.
 */
export function rememberingSpf(clock: Pick<Clock, 'now'>): SpfJudge {
  const verdicts = new Map<string, { verdict: SpfVerdict; at: number }>()
  return async (questions, client, hostname) => {
    const { ip, helo, mailFrom } = client
    const key = `${ip} ${hostname} ${mailFrom.length} ${mailFrom} ${helo}`
    const at = clock.now().getTime()
    const known = verdicts.get(key)
    // Also where the clock was set back.
    if (known && Math.abs(at - known.at) < KEEP_MS) return known.verdict
    const verdict = await judgeSpf(questions, client, hostname)
    verdicts.delete(key)
    if (verdict.result !== 'temperror') verdicts.set(key, { verdict, at })
    if (verdicts.size > MAX_CLIENTS) verdicts.delete(verdicts.keys().next().value ?? key)
    return verdict
  }
}

/** Judges one client. `hostname` is our own name, for the macro r. */
export async function judgeSpf(
  questions: Questions,
  { ip, helo, mailFrom }: Client,
  hostname: string,
): Promise<SpfVerdict> {
  const identity = mailFrom === '' ? 'helo' : 'mailfrom'
  const { status, domain } = await spf({
    sender: withALabels(mailFrom),
    ip,
    helo,
    mta: hostname,
    resolver: (name, type) => answer(questions, name, type as DnsType),
  })
  const result = status.result as Result
  return {
    result,
    domain: quotable(domain ?? ''),
    identity,
    ...(result.endsWith('error') && status.comment ? { comment: reasonIn(status.comment) } : {}),
  }
}

/** RFC 8616 §4: an internationalized domain is asked for, and compared, by its A-labels. */
function withALabels(address: string): string {
  const at = address.lastIndexOf('@') + 1
  const domain = address.slice(at)
  return isAscii(domain) ? address : `${address.slice(0, at)}${asciiDomain(domain)}`
}

const isAscii = (text: string) => /^\p{ASCII}*$/u.test(text)

async function answer(questions: Questions, name: string, type: DnsType) {
  if (type !== 'TXT') return (await questions.resolve(name, type)) as string[]
  const records = await questions.resolve(name, type)
  return records.map((strings) => [preparedRecord(name, strings.join(''))])
}

/** mailauth's comment is a sentence with our name and the address in front; what went wrong is its end. */
const reasonIn = (comment: string) => quotable(comment.split(': ').slice(2).join(': ') || comment)
