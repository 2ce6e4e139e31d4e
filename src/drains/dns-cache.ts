// Answers of the DNS kept for a short while: a sender who writes twice is looked up once.
import type { Dns, DnsAnswer, DnsType } from '../engine/ports.ts'

/** Node shows no TTL for TXT; five minutes is what most keys and policies are published with, or less than that. */
const KEEP_FOUND_MS = 5 * 60_000
/** What is not there now may be published any moment. RFC 2308 §5 asks for less than hours. */
const KEEP_NONE_MS = 60_000
const MAX_NAMES = 10_000
/** A record of more than this is not worth its place: 10,000 of them stay under 40 MB. */
const MAX_RECORD_CHARACTERS = 4_096

interface Entry {
  answer: Promise<DnsAnswer>
  /** Milliseconds of `now`; without end while the question is out. */
  until: number
}

/**
 * The same questions asked at once are one question, and answers are kept: found ones for 5 minutes, others for one.
 * Failures are not kept. At most 10,000 names; the one that was asked longest ago goes first.
 * @param now milliseconds, only ever growing
 */
export function rememberingDns(dns: Dns, now: () => number = () => performance.now()): Dns {
  const entries = new Map<string, Entry>()

  function ask<T extends DnsType>(key: string, name: string, type: T): Promise<DnsAnswer<T>> {
    const answer = dns.resolve(name, type)
    const entry: Entry = { answer, until: Number.POSITIVE_INFINITY }
    entries.set(key, entry)
    if (entries.size > MAX_NAMES) entries.delete(entries.keys().next().value ?? key)
    const settled = (lifetime: number) => {
      entry.until = now() + lifetime
      if (lifetime === 0 && entries.get(key) === entry) entries.delete(key)
    }
    answer.then(
      (given) => settled(lifetimeOf(given)),
      () => settled(0),
    )
    return answer
  }

  return {
    resolve<T extends DnsType>(
      name: string,
      type: T,
      { fresh } = { fresh: false },
    ): Promise<DnsAnswer<T>> {
      const key = `${type} ${name.toLowerCase().replace(/\.$/, '')}`
      const entry = entries.get(key)
      if (fresh || entry === undefined || entry.until <= now()) {
        entries.delete(key)
        return ask(key, name, type)
      }
      entries.delete(key)
      entries.set(key, entry)
      return entry.answer as Promise<DnsAnswer<T>>
    },
  }
}

function lifetimeOf(answer: DnsAnswer): number {
  switch (answer.kind) {
    case 'found':
      return sizeOf(answer.records) > MAX_RECORD_CHARACTERS ? 0 : KEEP_FOUND_MS
    case 'none':
      return KEEP_NONE_MS
    case 'failed':
      return 0
  }
}

const sizeOf = (records: readonly unknown[]) => JSON.stringify(records).length
