// The part of the configuration that changes what the engine decides.
import type { Addresses } from '../app.ts'
import type { Config } from '../config.ts'
import type { Settings } from '../engine/ports.ts'

/** `publicUrl` follows the port that HTTP really has, which is known only once it listens. */
export function toSettings(config: Config, addresses: Addresses): Settings {
  return {
    mailDomain: config.mailDomain,
    get publicUrl() {
      return config.publicUrl ?? httpUrl(addresses.http ?? config.http)
    },
    smtpHostname: config.smtp.hostname,
    outbound: config.outbound,
    relayHost: config.relayUrl === undefined ? undefined : new URL(config.relayUrl).hostname,
    agentSendPolicy: config.agentSendPolicy,
    agentCaps: config.agentCaps,
    reviewNotify: config.reviewNotify,
    reviewTtlHours: config.reviewTtlHours,
    readOnly: config.mcpReadOnly,
    outboundRetrySchedule: config.outboundRetrySchedule,
    webhookRetrySchedule: config.webhookRetrySchedule,
    webhookTimeoutSeconds: config.webhookTimeoutSeconds,
  }
}

/** The URL under which a listener is reached from this machine. */
export function httpUrl({ host, port }: { host: string; port: number }): string {
  return `http://${reachable(host)}:${port}`
}

/** Nobody connects to "all addresses"; IPv6 stands in brackets (RFC 3986 §3.2.2). */
export function reachable(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1'
  return host.includes(':') ? `[${host}]` : host
}

/** Whether only this machine reaches a listener there. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.')
}
