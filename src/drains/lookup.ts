// Names to addresses, without letting a name server that does not answer hold up other names.

import type { LookupAddress } from 'node:dns'
import { Resolver, lookup as systemLookup } from 'node:dns/promises'

/** All addresses of a name; rejects where there is none. */
export type Lookup = (name: string) => Promise<LookupAddress[]>

const TRY_MS = 2_500
const TRIES = 2

const LOOPBACK = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
]

/**
 * Asks the DNS directly, then the system (hosts file, search domains) for what the DNS does not know.
 * The system's resolver runs on two threads of this process: names whose servers keep silent would
 * hold up all others there, so a question that timed out is not repeated to it.
 */
export async function lookupAddresses(name: string): Promise<LookupAddress[]> {
  if (isLocalName(name)) return LOOPBACK
  const resolver = new Resolver({ timeout: TRY_MS, tries: TRIES })
  const answers = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)])
  const found = answers.flatMap((answer, n) => {
    const addresses = answer.status === 'fulfilled' ? answer.value : []
    return addresses.map((address) => ({ address, family: n === 0 ? 4 : 6 }))
  })
  if (found.length > 0) return found
  const silent = answers.find((answer) => answer.status === 'rejected' && timedOut(answer.reason))
  if (silent?.status === 'rejected') throw silent.reason
  return systemLookup(name, { all: true })
}

/** RFC 6761 §6.3: localhost names are loopback, and nobody is asked. */
const isLocalName = (name: string) => /(^|\.)localhost\.?$/.test(name)

const timedOut = (error: { code?: string }) => error.code === 'ETIMEOUT'
