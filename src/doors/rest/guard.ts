// Which Host and which Origin a request may name: a page elsewhere must not reach this server through a browser (DNS rebinding).
import { Forbidden } from '../../engine/errors.ts'

const DEFAULT_PORTS: Record<string, string> = { 'http:': '80', 'https:': '443' }

export interface Accepted {
  /** `host`, `host:port` or `host:*`, in lower case. */
  hosts: readonly string[]
  origins: readonly string[]
  /** Its own host is accepted too: whoever set it wants to be reached there. */
  publicUrl: string
}

/** Throws Forbidden where Host or Origin is not one of those accepted. No Origin at all: not a browser's page. */
export function checkOrigin(headers: Headers, { hosts, origins, publicUrl }: Accepted): void {
  const own = ownHosts(publicUrl)
  const host = headers.get('host')?.toLowerCase() ?? ''
  if (![...hosts, ...own].some((pattern) => fits(host, pattern))) {
    throw new Forbidden(`The Host ${shown(host)} is not accepted.`, {
      code: 'host_not_allowed',
      fix: `Add it to ALLOWED_HOSTS, or set PUBLIC_URL to the address that clients use. Accepted: ${[...hosts, ...own].join(', ')}.`,
    })
  }
  const origin = headers.get('origin')
  if (origin === null) return
  const from = URL.canParse(origin) ? new URL(origin).host : ''
  if (![...origins, ...own].some((pattern) => fits(from, pattern))) {
    throw new Forbidden(`The Origin ${shown(origin)} is not accepted.`, {
      code: 'origin_not_allowed',
      fix: 'Add its host to ALLOWED_ORIGINS where you trust the pages it serves.',
    })
  }
}

/** Behind a proxy the Host may carry the default port or leave it out. */
function ownHosts(publicUrl: string): string[] {
  if (!URL.canParse(publicUrl)) return []
  const { protocol, hostname, host, port } = new URL(publicUrl)
  return port === '' ? [hostname, `${hostname}:${DEFAULT_PORTS[protocol]}`] : [host]
}

function fits(host: string, pattern: string): boolean {
  if (!pattern.endsWith(':*')) return host === pattern
  const name = pattern.slice(0, -1)
  return host.startsWith(name) && /^\d{1,5}$/.test(host.slice(name.length))
}

const MAX_SHOWN = 100
const shown = (text: string) => JSON.stringify(text.slice(0, MAX_SHOWN))
