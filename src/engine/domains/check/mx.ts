// Whether mail for the domain comes to us first. RFC 5321 §5.1.
import type { Dns } from '../../ports.ts'
import type { Finding } from '../domain.ts'
import type { Wanted } from '../records.ts'
import { type Holds, hostName, missing, type NoAnswer, unknown, verified, wrong } from './found.ts'

const FRESH = { fresh: true }

export async function checkMx(dns: Dns, { name, value, priority }: Wanted): Promise<Finding> {
  if (!value.includes('.')) {
    return wrong(
      `Set SMTP_HOSTNAME to the public name of this server first: "${value}" is known here only.`,
    )
  }
  const answer = await dns.resolve(name, 'MX', FRESH)
  if (answer.kind === 'failed') return unknown(name, answer.reason)
  const publish = `Publish the MX record ${name} ${priority} ${value}`
  if (answer.kind === 'none') return missing(`${publish}.`)
  const hosts = answer.records.map((mx) => ({ ...mx, host: hostName(mx.exchange) }))
  const least = Math.min(...hosts.map(({ priority }) => priority))
  const first = hosts.filter(({ priority }) => priority === least).map(({ host }) => host)
  // RFC 7505 §3: a lone "." says that the domain takes no mail.
  if (first.includes('')) return wrong(`${publish} in place of the one that says "no mail here".`)
  if (first.every((host) => host === hostName(value))) return verified
  if (hosts.some(({ host }) => host === hostName(value))) {
    return wrong(
      `${first.join(', ')} gets the mail for ${name} first or as often: give ${value} the lowest number, or remove the other MX records.`,
    )
  }
  const same = await sameMachine(dns, first, value)
  if (same === 'yes') return verified
  if (same !== 'no') return unknown(same.name, same.reason)
  return wrong(
    `Mail for ${name} goes to ${first.join(', ')}. ${publish} in its place; to keep that mailbox, use a domain of its own here, such as mail.${name}.`,
  )
}

/** Another name of this server does as well. */
async function sameMachine(dns: Dns, hosts: readonly string[], ours: string): Promise<Holds> {
  const own = await addressesOf(dns, ours)
  const others = await Promise.all(hosts.map((host) => addressesOf(dns, host)))
  const elsewhere = others.filter(({ found }) => !found.some((one) => own.found.includes(one)))
  if (elsewhere.length === 0) return 'yes'
  if (own.failed !== undefined) return own.failed
  const open = elsewhere.flatMap(({ failed }) => failed ?? [])
  return open.length === elsewhere.length ? (open[0] ?? 'no') : 'no'
}

export interface Addresses {
  found: string[]
  /** There may be more. */
  failed: NoAnswer | undefined
}

export async function addressesOf(dns: Dns, name: string): Promise<Addresses> {
  const answers = await Promise.all([
    dns.resolve(name, 'A', FRESH),
    dns.resolve(name, 'AAAA', FRESH),
  ])
  const failed = answers.find((answer) => answer.kind === 'failed')
  return {
    found: answers.flatMap((answer) => (answer.kind === 'found' ? answer.records : [])),
    failed: failed && { name, reason: failed.reason },
  }
}
