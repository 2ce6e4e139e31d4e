// How a mail came here, as its Received lines tell: whether it goes in circles. RFC 5321 §6.3.
import { MAX_RECEIVED } from './limits.ts'

export type Hops = 'fine' | 'too_many' | 'own_loop'

const HEADER_END = '\r\n\r\n'
/** A header is read that far: more than a thousand Received lines. */
const HEADER_BYTES = 256 * 1024
const RECEIVED = /^received:[^\r\n]*(?:\r\n[ \t][^\r\n]*)*/gim

/**
 * Judges the way of a mail by its header.
 *
 * A mail was here before where a Received line says `by` our name. Servers put their program in brackets behind the
 * name; where another program stands there, the line is that of a server in front of us on the same machine, and no
 * loop. A name without a dot is none to go by: half the world's machines are called localhost or mail.
 */
export function hopsOf(raw: Buffer, hostname: string): Hops {
  const lines = receivedLines(raw)
  if (lines.length > MAX_RECEIVED) return 'too_many'
  return hostname.includes('.') && lines.some((line) => isOurs(line, hostname))
    ? 'own_loop'
    : 'fine'
}

function receivedLines(raw: Buffer): string[] {
  const end = raw.indexOf(HEADER_END)
  const length = Math.min(end < 0 ? raw.length : end, HEADER_BYTES)
  return raw.toString('latin1', 0, length).match(RECEIVED) ?? []
}

function isOurs(line: string, hostname: string): boolean {
  const [clauses = ''] = line.split(';')
  const words = clauses.toLowerCase().split(/\s+/)
  const at = words.findIndex((word, i) => word === 'by' && words[i + 1] === hostname.toLowerCase())
  if (at < 0) return false
  const behind = words.slice(at + 2).join(' ')
  return !behind.includes('(') || behind.includes('(postroom)')
}
