// What the checks of all records share: how a finding is said, and how TXT is read.
import type { DnsAnswer } from '../../ports.ts'
import type { Finding } from '../domain.ts'

export const verified: Finding = { status: 'verified', fix: null }
export const missing = (fix: string): Finding => ({ status: 'missing', fix })
export const wrong = (fix: string): Finding => ({ status: 'wrong', fix })

/** The DNS was asked about the name and gave no answer. */
export interface NoAnswer {
  name: string
  reason: string
}

/** Whether something holds; where an answer that is missing could turn a no into a yes, that answer. */
export type Holds = 'yes' | 'no' | NoAnswer

export function unknown(name: string, reason: string): Finding {
  const fix = `The DNS gave no answer about ${name} (${reason}): check again in a minute, or set DNS_SERVERS to a resolver that answers.`
  return { status: 'unknown', fix }
}

/** Each record as one text. RFC 7208 §3.3, RFC 6376 §3.6.2.2: its strings follow each other without a space. */
export function textsOf(answer: DnsAnswer<'TXT'>): string[] {
  return answer.kind === 'found' ? answer.records.map((strings) => strings.join('')) : []
}

/** The tags of a record like `v=DKIM1; p=…`, names in lower case. RFC 6376 §3.2. */
export function tagsOf(text: string): Map<string, string> {
  return new Map(
    text.split(';').flatMap((tag) => {
      const at = tag.indexOf('=')
      return at < 0 ? [] : [[tag.slice(0, at).trim().toLowerCase(), tag.slice(at + 1).trim()]]
    }),
  )
}

/** A host name as it is compared: in lower case, without the root's dot. */
export const hostName = (name: string) => name.toLowerCase().replace(/\.$/, '')
