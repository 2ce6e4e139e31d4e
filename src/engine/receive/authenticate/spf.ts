// SPF: whether this host may use that domain in MAIL FROM. RFC 7208, by mailauth.
import { spf } from 'mailauth/lib/spf/index.js'
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
