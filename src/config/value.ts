// The kinds of values that settings have. Each message is what would be right, as the end of "it must be …".
import { isIPv4, isIPv6 } from 'node:net'
import { z } from 'zod'

const MAX_PORT = 65_535
/** A longer schedule is a slip of the keyboard. */
const MAX_ATTEMPTS = 50
const MAX_WAIT_SECONDS = 30 * 86_400
const MAX_TIMEOUT_SECONDS = 300
const MAX_HOURS = 8_760

const API_KEY = /^ait_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const HOST = /^[A-Za-z0-9._:%-]+$/
/** RFC 1035 §2.3.1, with digits at the start of a label as RFC 1123 §2.1 allows. */
const LABEL = '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?'
const DOMAIN = new RegExp(`^${LABEL}(\\.${LABEL})*$`)
const HOST_PATTERN = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(:(\d{1,5}|\*))?$/
const NAME_SERVER = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9.]+))(?::(\d{1,5}))?$/

export const text = (right: string) => z.string(right)

/** A string that `read` understands; undefined means that it does not. */
function reads<T>(right: string, read: (value: string) => T | undefined) {
  return z.string().transform((raw, context) => {
    const result = read(raw)
    if (result !== undefined) return result
    context.addIssue({ code: 'custom', message: right })
    return z.NEVER
  })
}

export const flag = (otherwise: boolean) =>
  reads('"true" or "false"', (raw) => ({ true: true, false: false })[raw.toLowerCase()]).default(
    otherwise,
  )

export const port = reads(`a port number from 1 to ${MAX_PORT}, or 0 for a free one`, (raw) => {
  const number = wholeNumber(raw)
  return number !== undefined && number <= MAX_PORT ? number : undefined
})

/** Where somebody else listens. */
export const remotePort = reads(`a port number from 1 to ${MAX_PORT}`, (raw) => {
  const number = wholeNumber(raw)
  return number !== undefined && number >= 1 && number <= MAX_PORT ? number : undefined
})

export const seconds = reads(`a number of seconds from 1 to ${MAX_TIMEOUT_SECONDS}`, (raw) => {
  const number = wholeNumber(raw)
  return number !== undefined && number >= 1 && number <= MAX_TIMEOUT_SECONDS ? number : undefined
})

export const schedule = reads(
  `seconds to wait before each attempt, like "0,60,300" (1 to ${MAX_ATTEMPTS} numbers)`,
  (raw) => {
    const numbers = raw.split(',').map((part) => wholeNumber(part.trim()))
    const right = numbers.filter((number) => number !== undefined && number <= MAX_WAIT_SECONDS)
    if (right.length !== numbers.length || right.length > MAX_ATTEMPTS) return undefined
    return right as number[]
  },
)

export const caps = reads(
  'caps on sends, some of N/m, N/d and Nnew/d, like "10/m,200/d,20new/d", or "none"',
  (raw) => {
    const kinds = raw.split(',').map((part) => /^\d{1,7}(\/m|\/d|new\/d)$/.exec(part.trim())?.[1])
    const right = !kinds.includes(undefined) && new Set(kinds).size === kinds.length
    return raw === 'none' || right ? raw : undefined
  },
)

/** Without a name: who is told needs none. */
export const mailAddress = reads('a mail address, like you@example.com', (raw) =>
  /^[^\s@<>"(),;:]+@[A-Za-z0-9.-]+$/.test(raw) ? raw : undefined,
)

export const hours = reads(`a number of hours, 1 to ${MAX_HOURS}`, (raw) => {
  const number = wholeNumber(raw)
  return number !== undefined && number >= 1 && number <= MAX_HOURS ? number : undefined
})

export const host = reads(
  'an address or a host name to listen on, like 127.0.0.1 or 0.0.0.0',
  (raw) => (HOST.test(raw) ? raw : undefined),
)

export const domain = reads('a domain name, like mail.example.com', (raw) => {
  const name = raw.toLowerCase().replace(/\.$/, '')
  return DOMAIN.test(name) && name.length <= 253 ? name : undefined
})

export const apiKey = reads(
  '"ait_" followed by a UUID in lower case (one is made where it is unset)',
  (raw) => (API_KEY.test(raw) ? raw : undefined),
).optional()

/** What AES-256 takes. */
const SECRET_BYTES = 32

export const secretKey = reads(
  '32 random bytes in base64 or hex, as made by: openssl rand -base64 32',
  (raw) => {
    const bytes = Buffer.from(raw, /^[0-9a-f]{64}$/i.test(raw) ? 'hex' : 'base64')
    return bytes.length === SECRET_BYTES && /^[\w+/=-]+$/.test(raw) ? bytes : undefined
  },
).optional()

export const url = (schemes: readonly string[], example: string) =>
  reads(`a URL like ${example}`, (raw) => {
    if (!URL.canParse(raw)) return undefined
    const { protocol, hostname } = new URL(raw)
    // PostgreSQL takes a socket's folder as ?host=…, so its URL may have no host of its own.
    return schemes.includes(protocol) && (hostname !== '' || protocol.startsWith('postgres'))
      ? raw
      : undefined
  }).optional()

export const hosts = reads('"host", "host:port" or "host:*", with commas between', (raw) => {
  const parts = raw.split(',').map((part) => part.trim().toLowerCase())
  return parts.every((part) => HOST_PATTERN.test(part)) ? parts : undefined
})

/** IP addresses, since a resolver's own name would have to be resolved first; localhost is known (RFC 6761 §6.3). */
export const nameServers = reads(
  'IP addresses of resolvers, like "192.0.2.53" or "127.0.0.1:5353,[::1]:5353"',
  (raw) => {
    const servers = raw.split(',').map((part) => nameServer(part.trim().toLowerCase()))
    const right = servers.filter((server) => server !== undefined)
    return right.length === servers.length ? right : undefined
  },
)

const DNS_PORT = 53

function nameServer(part: string): string | undefined {
  if (isIPv6(part)) return `[${part}]:${DNS_PORT}`
  const [, inBrackets, plain = '', digits] = NAME_SERVER.exec(part) ?? []
  const given = digits === undefined ? DNS_PORT : wholeNumber(digits)
  if (given === undefined || given < 1 || given > MAX_PORT) return undefined
  if (inBrackets !== undefined) return isIPv6(inBrackets) ? `[${inBrackets}]:${given}` : undefined
  const address = plain === 'localhost' ? '127.0.0.1' : plain
  return isIPv4(address) ? `${address}:${given}` : undefined
}

export function oneOf<const T extends readonly string[]>(choices: T) {
  return reads(quoted(choices, 'or'), (raw): T[number] | undefined =>
    choices.find((choice) => choice === raw.toLowerCase()),
  )
}

export function listOf<const T extends readonly string[]>(choices: T) {
  return reads(
    `one or more of ${quoted(choices, 'and')}, with commas between`,
    (raw): T[number][] | undefined => {
      const parts = raw
        .split(',')
        .map((part) => choices.find((choice) => choice === part.trim().toLowerCase()))
      const known = parts.filter((part) => part !== undefined)
      return known.length === parts.length ? [...new Set(known)] : undefined
    },
  )
}

function wholeNumber(raw: string): number | undefined {
  return /^\d{1,9}$/.test(raw) ? Number(raw) : undefined
}

function quoted(choices: readonly string[], word: 'and' | 'or'): string {
  const [last, ...rest] = choices.map((choice) => `"${choice}"`).reverse()
  return rest.length === 0 ? `${last}` : `${rest.reverse().join(', ')} ${word} ${last}`
}
