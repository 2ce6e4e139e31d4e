// Which hosts take mail for a domain, and in which order. RFC 5321 §5.1, RFC 7505.
import type { Dns } from '../engine/ports.ts'
import { isThisMachine } from './reachable.ts'

export type Route =
  /** Names of hosts, the preferred ones first. */
  | { kind: 'hosts'; hosts: string[] }
  /** The domain takes no mail, for good. */
  | { kind: 'refused'; code: number; detail: string }
  | { kind: 'deferred'; detail: string }

interface RouteOptions {
  dns: Dns
  /** Ours: a host of that name is this server. */
  hostname: string
  /** A number from 0 up to 1, for hosts of one preference. */
  random?: () => number
}

/** The hosts of a domain's MX records, or the domain itself where it has none (the implicit MX). */
export async function routeTo(
  { dns, hostname, random = Math.random }: RouteOptions,
  domain: string,
): Promise<Route> {
  const answer = await dns.resolve(domain, 'MX')
  if (answer.kind === 'failed') {
    return {
      kind: 'deferred',
      detail: `the MX records of ${domain} could not be looked up: ${answer.reason}`,
    }
  }
  if (answer.kind === 'none') {
    return answer.exists
      ? { kind: 'hosts', hosts: [domain] }
      : { kind: 'refused', code: 550, detail: `5.1.2 The domain ${domain} does not exist` }
  }
  const records = answer.records.map(({ exchange, priority }) => ({
    host: exchange.toLowerCase().replace(/\.$/, ''),
    priority,
  }))
  const named = records.filter(({ host }) => host !== '')
  // RFC 7505 §3: a single MX of "." says that the domain takes no mail.
  if (named.length === 0) {
    return {
      kind: 'refused',
      code: 556,
      detail: `5.1.10 The domain ${domain} takes no mail (null MX)`,
    }
  }
  const usable = named.filter(({ priority }) => priority < ownPriority(named, hostname))
  if (usable.length === 0) {
    const detail = `5.4.6 The MX of ${domain} is this server (${hostname}), which has no such inbox`
    return { kind: 'refused', code: 554, detail }
  }
  const drawn = usable.map((record) => ({ ...record, lot: random() }))
  drawn.sort((a, b) => a.priority - b.priority || a.lot - b.lot)
  return { kind: 'hosts', hosts: [...new Set(drawn.map(({ host }) => host))] }
}

/** A backup MX hands mail to better hosts only, or it would circle. RFC 5321 §5.1. */
function ownPriority(records: readonly { host: string; priority: number }[], hostname: string) {
  const own = records.filter(({ host }) => host === hostname.toLowerCase())
  return Math.min(Number.POSITIVE_INFINITY, ...own.map(({ priority }) => priority))
}

export type Addresses =
  | { kind: 'found'; addresses: string[] }
  | { kind: 'none' | 'failed' | 'loopback' }

/**
 * The addresses of a host, IPv4 first: IPv6 senders without a PTR record are refused for good by some of the
 * largest receivers, and that would be a bounce where IPv4 would have gone through.
 * @param loopback whether those of this machine count too
 */
export async function addressesOf(dns: Dns, host: string, loopback: boolean): Promise<Addresses> {
  const answers = await Promise.all([dns.resolve(host, 'A'), dns.resolve(host, 'AAAA')])
  const all = answers.flatMap((answer) => (answer.kind === 'found' ? answer.records : []))
  const addresses = all.filter((address) => loopback || !isThisMachine(address))
  if (addresses.length > 0) return { kind: 'found', addresses }
  if (all.length > 0) return { kind: 'loopback' }
  return { kind: answers.some(({ kind }) => kind === 'failed') ? 'failed' : 'none' }
}
