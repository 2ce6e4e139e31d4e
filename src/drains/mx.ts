// Outgoing mail straight to the hosts of its recipients: the MX records in their order, one host after the other until one answers.
import type { Dns, HandOver, MailTransport, OutgoingMail } from '../engine/ports.ts'
import { createClosing } from './closing.ts'
import type { DialOptions, MailHost } from './mx-connections.ts'
import { createHosts } from './mx-hosts.ts'
import { addressesOf, routeTo } from './mx-route.ts'
import { answersOf, LINE_LOST } from './smtp-answers.ts'
import type { Sent } from './smtp-pool.ts'

/** Addresses that one attempt tries; the next attempt begins anew. */
const MAX_TRIED = 5
const SMTP_PORT = 25
const SERVICE_CLOSING = 421

export interface MxOptions {
  dns: Dns
  /** The name we give in EHLO; a host of that name is this server. */
  hostname: string
  port?: number
  /** Whether an MX may point to this machine: where nobody but this machine uses the server. */
  loopback: boolean
  timeouts?: DialOptions['timeouts']
  now?: () => number
  random?: () => number
}

/**
 * Hands mail to the recipients' own servers. A host that cannot be reached or breaks off before it has the mail makes
 * room for the next one; what a host says about the mail itself stands. RFC 5321 §5.1.
 */
export function mxDelivery(options: MxOptions): MailTransport {
  const { hostname, timeouts } = options
  const hosts = createHosts({
    hostname,
    port: options.port ?? SMTP_PORT,
    now: options.now ?? (() => performance.now()),
    ...(timeouts && { timeouts }),
  })
  const closing = createClosing(hosts.close)

  async function forDomain(domain: string, mail: OutgoingMail): Promise<HandOver[]> {
    const route = await routeTo(options, domain)
    const all = (answer: HandOver) => mail.envelope.to.map(() => answer)
    if (route.kind === 'refused') return all(route)
    if (route.kind === 'deferred') return all({ ...route, code: null })
    const failures: Failure[] = []
    for await (const host of addressed(options, route.hosts, failures)) {
      const sent = await hosts.send(host, mail)
      if (sent.kind === 'failed') closing.refuseCut(sent.error)
      const answers = answersOf(mail.envelope.to, sent, { name: called(host) })
      if (!isUnusable(sent)) return answers
      failures.push({ kind: 'unusable', host: called(host), said: answers[0] })
    }
    return all(withoutAnswer(domain, failures))
  }

  async function send(mail: OutgoingMail): Promise<HandOver[]> {
    const { from, to } = mail.envelope
    const domains = [...new Set(to.map(domainOf))]
    const answers = new Map<string, HandOver | undefined>()
    await Promise.all(
      domains.map(async (domain) => {
        const there = to.filter((email) => domainOf(email) === domain)
        const said = await forDomain(domain, { ...mail, envelope: { from, to: there } })
        there.forEach((email, n) => void answers.set(email, said[n]))
      }),
    )
    return to.flatMap((email) => answers.get(email) ?? [])
  }

  return { send: (mail) => closing.track(send(mail)), close: closing.close }
}

type Failure =
  /** It did not take the mail, and said nothing about it. */
  | { kind: 'unusable'; host: string; said: HandOver | undefined }
  /** It has no address, the DNS does not say, or it points to this machine. */
  | { kind: 'none' | 'failed' | 'loopback'; host: string }

/** The hosts with their addresses, looked up when their turn comes; the first few. */
async function* addressed(
  { dns, loopback }: MxOptions,
  names: readonly string[],
  failures: Failure[],
): AsyncGenerator<MailHost> {
  let left = MAX_TRIED
  for (const name of names) {
    const found = await addressesOf(dns, name, loopback)
    if (found.kind === 'found') {
      const some = found.addresses.slice(0, left)
      left -= some.length
      for (const address of some) yield { name, address }
    } else failures.push({ kind: found.kind, host: name })
  }
}

/** Broken off before the mail was there, or not begun: another host may do better. */
function isUnusable(sent: Sent): boolean {
  if (sent.kind !== 'failed' || sent.phase === 'dot sent') return false
  const { code = '', responseCode } = sent.error
  if (sent.phase === 'connecting' || responseCode === SERVICE_CLOSING) return true
  return responseCode === undefined && LINE_LOST.has(code)
}

/** What no host has answered: later, where one may yet; never, where the DNS says that there is none. */
function withoutAnswer(domain: string, failures: readonly Failure[]): HandOver {
  const last = failures.findLast((failure) => failure.kind === 'unusable')
  if (last !== undefined) {
    // A greeting with 5xx is the host's opinion of us today, not of the mail (RFC 5321 §3.1).
    const { host, said } = last
    const code = said === undefined || said.kind === 'uncertain' ? null : said.code
    const detail = said?.detail ?? ''
    return { kind: 'deferred', code, detail: detail.includes(host) ? detail : `${host}: ${detail}` }
  }
  const unknown = failures.find(({ kind }) => kind === 'failed')
  if (unknown !== undefined) {
    const detail = `the address of ${unknown.host}, which takes mail for ${domain}, could not be looked up`
    return { kind: 'deferred', code: null, detail }
  }
  const where = failures.some(({ kind }) => kind === 'loopback')
    ? 'leads to a loopback address'
    : 'has no address in the DNS'
  const detail = `5.4.4 What takes mail for ${domain} ${where}: ${failures[0]?.host}`
  return { kind: 'refused', code: 550, detail }
}

const called = ({ name, address }: MailHost) => `${name} (${address})`

const domainOf = (email: string) => email.slice(email.lastIndexOf('@') + 1).toLowerCase()
