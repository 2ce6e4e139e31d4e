// The DNS over the resolvers of DNS_SERVERS: what is found, what does not exist, and what nobody can say now.
import { Resolver } from 'node:dns/promises'
import type { Dns, DnsAnswer, DnsRecords, DnsType } from '../engine/ports.ts'

export interface DnsOptions {
  /** `address:port` each; undefined: the system's. */
  servers?: readonly string[] | undefined
  /** Milliseconds for the first try; c-ares doubles it for the second. */
  tryMs?: number
}

/** 1.5 s and 3 s: both tries fit into the 5 s that a mail waits for one answer. */
const TRY_MS = 1_500
const TRIES = 2
/**
 * After so many questions in a row that nobody answered, one short try each has to do until somebody
 * answers again: a resolver that is away would otherwise hold up every mail for seconds.
 */
const SILENT_IN_A_ROW = 6
const HURRIED_SHARE = 3

/** RFC 6761 §6.3 and §6.4: names that no server is asked for. */
const NEVER_ASKED = /(^|\.)(localhost|invalid)\.?$/i

/** What c-ares calls a name that does not exist, one without such records, and one that cannot be written as a question. */
const NONE = new Map([
  ['ENOTFOUND', false],
  ['ENODATA', true],
  ['EBADNAME', false],
])

/** Names are asked over UDP, and over TCP where an answer is cut (c-ares does both). Nothing is remembered. */
export function dnsOver({ servers, tryMs = TRY_MS }: DnsOptions = {}): Dns {
  const patient = resolverOf(servers, tryMs, TRIES)
  const hurried = resolverOf(servers, Math.ceil(tryMs / HURRIED_SHARE), 1)
  let silent = 0
  return {
    async resolve(name, type) {
      if (NEVER_ASKED.test(name)) return { kind: 'none', exists: false }
      const answer = await ask(silent < SILENT_IN_A_ROW ? patient : hurried, name, type)
      silent = answer.kind === 'failed' && SILENCE.has(answer.reason) ? silent + 1 : 0
      return answer
    },
  }
}

const SILENCE = new Set(['ETIMEOUT', 'ECONNREFUSED'])

function resolverOf(servers: readonly string[] | undefined, timeout: number, tries: number) {
  const resolver = new Resolver({ timeout, tries })
  if (servers !== undefined) resolver.setServers(servers)
  return resolver
}

async function ask<T extends DnsType>(
  resolver: Resolver,
  name: string,
  type: T,
): Promise<DnsAnswer<T>> {
  try {
    const records = (await resolver.resolve(name, type)) as DnsRecords[T][]
    return records.length === 0 ? { kind: 'none', exists: true } : { kind: 'found', records }
  } catch (error) {
    const { code = 'EUNKNOWN' } = error as { code?: string }
    const exists = NONE.get(code)
    return exists === undefined ? { kind: 'failed', reason: code } : { kind: 'none', exists }
  }
}
