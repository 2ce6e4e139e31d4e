// The DNS as mailauth asks it, with an end: so much time a question, and so much a mail.
import type { Clock } from '../../../platform/clock.ts'
import type { Dns, DnsAnswer, DnsRecords, DnsType } from '../../ports.ts'

/** RFC 7208 §4.6.4 wants at least 20 s for all; a sender waits for our answer to DATA meanwhile. */
const QUESTION_MS = 5_000
const MAIL_MS = 8_000

/** mailauth's seam: records, or an error whose code tells why there are none. */
export type Resolver = <T extends DnsType>(name: string, type: T) => Promise<DnsRecords[T][]>

export interface Questions {
  resolve: Resolver
  /** Starts to look up what is surely needed soon. */
  ahead(name: string, type: DnsType): void
}

/**
 * A resolver for one mail: 5 s a question, 8 s for all; what takes longer has failed.
 * Every failure has the code ETIMEOUT, the only one that all of mailauth takes for temporary
 * (mailauth 4.13.3 goes on after a SERVFAIL in an SPF include as if nothing matched).
 */
export function questionsOf({ dns, clock }: { dns: Dns; clock: Clock }): Questions {
  const deadline = clock.now().getTime() + MAIL_MS
  const asked = new Map<string, Promise<DnsAnswer>>()

  function ask<T extends DnsType>(name: string, type: T): Promise<DnsAnswer<T>> {
    const key = `${type} ${name.toLowerCase()}`
    const answer = asked.get(key) ?? timed(name, type)
    asked.set(key, answer)
    return answer as Promise<DnsAnswer<T>>
  }

  function timed<T extends DnsType>(name: string, type: T): Promise<DnsAnswer<T>> {
    const left = Math.min(QUESTION_MS, deadline - clock.now().getTime())
    if (left <= 0) return Promise.resolve(TOO_LATE)
    return new Promise((resolve) => {
      const timer = clock.after(left, () => resolve(TOO_LATE))
      const settle = (answer: DnsAnswer<T>) => {
        timer.cancel()
        resolve(answer)
      }
      dns
        .resolve(name, type)
        .then(settle, (error: unknown) => settle({ kind: 'failed', reason: String(error) }))
    })
  }

  return {
    async resolve(name, type) {
      const answer = await ask(name, type)
      if (answer.kind === 'found') return answer.records
      if (answer.kind === 'failed') throw coded('ETIMEOUT', answer.reason)
      throw coded(answer.exists ? 'ENODATA' : 'ENOTFOUND', 'no such record')
    },
    ahead: (name, type) => void ask(name, type),
  }
}

const TOO_LATE = { kind: 'failed', reason: 'no answer in time' } as const

/** An answer, not a fault: nobody reads where it was made, and writing that down costs more than the rest of the look-up. */
function coded(code: string, message: string): Error {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  const error = Object.assign(new Error(message), { code })
  Error.stackTraceLimit = stackTraceLimit
  return error
}
