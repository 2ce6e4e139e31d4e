// The hosts that mail goes to: a few connections each, kept for a moment, and what is known of those that do not answer.
import type { OutgoingMail } from '../engine/ports.ts'
import {
  connectionsTo,
  type DialOptions,
  isTlsTrouble,
  MAX_CONNECTIONS,
  type MailHost,
} from './mx-connections.ts'
import type { Connections, Sent } from './smtp-pool.ts'

const SECOND_MS = 1_000
/** All mail that waits for a host that does not answer is told so at once, instead of each waiting for itself. */
const DEAD_MS = 60 * SECOND_MS
/** A host that answered so lately is there, only not for one connection more. */
const ALIVE_MS = 10 * SECOND_MS
const LIMITED_MS = 600 * SECOND_MS
/** One broken handshake, which anybody on the way can bring about, is not to open all later mail to them. */
const PLAIN_MS = 600 * SECOND_MS
/** RFC 3207 §4: "Must issue a STARTTLS command first". */
const MUST_ENCRYPT = 530
/** Of one mail at one address, where something new is found out about the host meanwhile. */
const MAX_TRIES = 5
const MAX_HOSTS = 1_000

type Failed = Extract<Sent, { kind: 'failed' }>

/** How a host is spoken to. `plain`: STARTTLS is offered but did not work; `tls`: without it nothing is taken. */
type Security = { kind: 'as offered' } | { kind: 'plain'; until: number } | { kind: 'tls' }

interface Host {
  connections: Connections
  security: Security
  /** The first mail finds out whether the host is there; the others wait for that. */
  probe: Promise<unknown> | undefined
  /** The failure that closed it, and until when it is believed. */
  dead: { sent: Failed; until: number } | undefined
  busy: number
  answeredAt: number
  /** When it was found to take fewer connections than we open. */
  limitedAt: number | undefined
}

export interface Hosts {
  send(host: MailHost, mail: OutgoingMail): Promise<Sent>
  close(options?: { force: boolean }): void
}

/** `now`: milliseconds, only ever growing. */
export function createHosts(options: DialOptions & { now: () => number }): Hosts {
  const { now } = options
  const hosts = new Map<string, Host>()
  let closed = false

  const open = (target: MailHost, security: Security): Host => {
    const host = newHost(connectionsTo(target, security.kind === 'plain', options), security)
    hosts.get(target.address)?.connections.close()
    hosts.set(target.address, host)
    if (hosts.size > MAX_HOSTS) forgetIdle(hosts)
    return host
  }

  const hostFor = (target: MailHost): Host => {
    const known = hosts.get(target.address)
    if (known === undefined) return open(target, AS_OFFERED)
    const { security, dead } = known
    const isPlain = security.kind === 'plain' && security.until > now()
    if (security.kind === 'plain' && !isPlain) return open(target, AS_OFFERED)
    if (dead && dead.until <= now()) return open(target, isPlain ? security : AS_OFFERED)
    unlimit(known, now())
    return known
  }

  async function send(target: MailHost, mail: OutgoingMail, tries = 0): Promise<Sent> {
    const host = hostFor(target)
    if (host.probe !== undefined) return host.probe.then(() => send(target, mail, tries))
    if (host.dead) return host.dead.sent
    const sent = await sendTo(host, mail, now)
    if (sent.kind !== 'failed' || closed) return sent
    const next = conclude(target, host, sent)
    return next === 'leave' || tries === MAX_TRIES ? sent : send(target, mail, tries + 1)
  }

  function conclude(target: MailHost, host: Host, sent: Failed): 'again' | 'leave' {
    const refused = sent.phase !== 'connecting'
    if (refused && !(host.security.kind === 'plain' && mustEncrypt(sent))) return 'leave'
    // Others have found out meanwhile, and this mail waited for its turn.
    if (host.dead !== undefined || hosts.get(target.address) !== host) return 'again'
    const next = refused ? { kind: 'tls' as const } : afterNoSession(host, sent, now())
    if (typeof next === 'string') return next
    open(target, next)
    return 'again'
  }

  return {
    send,
    close(how) {
      closed = true
      for (const { connections } of hosts.values()) connections.close(how)
    },
  }
}

const AS_OFFERED: Security = { kind: 'as offered' }

/** Said in place of taking the mail, so that asking again doubles nothing. */
const mustEncrypt = ({ error, phase }: Failed) =>
  phase === 'transaction' && error.responseCode === MUST_ENCRYPT

const newHost = (connections: Connections, security: Security): Host => ({
  connections,
  security,
  probe: undefined,
  dead: undefined,
  busy: 0,
  answeredAt: Number.NEGATIVE_INFINITY,
  limitedAt: undefined,
})

async function sendTo(host: Host, mail: OutgoingMail, now: () => number): Promise<Sent> {
  let begun: () => void = () => undefined
  const untried = host.answeredAt === Number.NEGATIVE_INFINITY
  if (untried) host.probe = new Promise<void>((resolve) => (begun = resolve))
  const probed = () => {
    if (untried) host.probe = undefined
    begun()
  }
  host.busy += 1
  try {
    const sent = await host.connections.send(mail, () => {
      host.answeredAt = now()
      probed()
    })
    if (sent.kind !== 'failed') host.answeredAt = now()
    return sent
  } finally {
    host.busy -= 1
    // Not before whoever has this answer has concluded from it.
    setImmediate(probed)
  }
}

/** No session came about: is it for this mail to try again, or is the host away? */
function afterNoSession(host: Host, sent: Failed, now: number): 'again' | 'leave' | Security {
  if (isTlsTrouble(sent.error) && host.security.kind === 'as offered') {
    return { kind: 'plain', until: now + PLAIN_MS }
  }
  if (host.connections.active() > 0 || host.answeredAt + ALIVE_MS > now) {
    host.connections.limit(Math.max(1, host.connections.active()))
    host.limitedAt = now
    return 'again'
  }
  host.connections.close()
  host.dead = { sent, until: now + DEAD_MS }
  return 'leave'
}

function unlimit(host: Host, now: number): void {
  if (host.limitedAt === undefined || host.limitedAt + LIMITED_MS > now) return
  host.limitedAt = undefined
  host.connections.limit(MAX_CONNECTIONS)
}

function forgetIdle(hosts: Map<string, Host>): void {
  for (const [address, { busy, connections }] of hosts) {
    if (busy > 0) continue
    connections.close()
    hosts.delete(address)
  }
}
