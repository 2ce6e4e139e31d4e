// The Received line of our own, which every server puts on top of a mail it takes. RFC 5321 §4.4. Pure.
import { isIPv6 } from 'node:net'

/** Who handed a mail over, and to whom. */
export interface Handover {
  ip: string
  /** What the client called itself. */
  helo: string
  /** Our name. */
  hostname: string
  /** The library's word for the protocol: SMTP, ESMTP, ESMTPS … RFC 3848. */
  protocol: string
  at: Date
}

/** What a domain or an address literal is made of (RFC 5321 §4.1.2); anything else would be read as another clause. */
const NAME = /^[\w.:[\]-]{1,255}$/
const SPACE = 0x20
const TAB = 0x09

/**
 * The mail with our Received line on top; its own bytes follow as they came. A mail that begins with a folded line
 * stays without, since that line would become part of ours.
 */
export function withTrace(raw: Buffer, handover: Handover): Buffer {
  if (raw[0] === SPACE || raw[0] === TAB) return raw
  return Buffer.concat([Buffer.from(receivedLine(handover)), raw])
}

/** `by … (Postroom)` is what `hops.ts` knows a loop by. */
function receivedLine({ ip, helo, hostname, protocol, at }: Handover): string {
  const name = NAME.test(helo) ? helo : 'unknown'
  const address = isIPv6(ip) ? `IPv6:${ip}` : ip
  const date = at.toUTCString().replace('GMT', '+0000')
  return `Received: from ${name} ([${address}])\r\n\tby ${hostname} (Postroom) with ${protocol};\r\n\t${date}\r\n`
}
