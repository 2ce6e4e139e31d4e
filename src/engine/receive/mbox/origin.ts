// When a mail out of a file came, and from whom: read off its trace fields. Pure.
import { readDate } from '../date.ts'
import { momentOf, senderOf } from './separator.ts'

/** A longer header is no header. */
const MAX_HEADER_BYTES = 256 * 1024
const ADDRESS = /[^\s<>",;:()]+@[^\s<>",;:()]+/

export interface Origin {
  at: Date
  /** RFC 5321 §4.4: Return-Path is what MAIL FROM said. */
  mailFrom: string
}

/**
 * The time is the newest Received line's (each relay puts its own on top), else Date, else the separator's, each only
 * where it names a moment between 1970 and now; else now. The sender is Return-Path's, else the separator's, else From's.
 */
export function originOf(raw: Buffer, line: string, now: Date): Origin {
  const header = headerOf(raw)
  return { at: whenItCame(header, line, now), mailFrom: senderIn(header) ?? byOthers(header, line) }
}

type Header = ReadonlyMap<string, string[]>

function headerOf(raw: Buffer): Header {
  const text = raw.toString('latin1', 0, Math.min(raw.length, MAX_HEADER_BYTES))
  const end = text.search(/\r?\n\r?\n/)
  const lines = (end < 0 ? text : text.slice(0, end)).replace(/\r?\n[ \t]+/g, ' ').split(/\r?\n/)
  const header = new Map<string, string[]>()
  for (const line of lines) {
    const [, name = '', value = ''] =
      /^(received|date|return-path|from)[ \t]*:(.*)$/i.exec(line) ?? []
    if (name === '') continue
    header.set(name.toLowerCase(), [...(header.get(name.toLowerCase()) ?? []), value.trim()])
  }
  return header
}

function whenItCame(header: Header, line: string, now: Date): Date {
  const traces = (header.get('received') ?? []).map((trace) =>
    trace.slice(trace.lastIndexOf(';') + 1),
  )
  const moments = [...traces, ...(header.get('date') ?? [])].map(readDate)
  const all = [...moments, readDate(`${momentOf(line).trim()} UTC`)]
  const sound = (at: Date | null): at is Date => at !== null && at.getTime() >= 0 && at <= now
  return all.find(sound) ?? now
}

/** `<>` is a sender too: nobody, who wants no answer. */
function senderIn(header: Header): string | undefined {
  const [path] = header.get('return-path') ?? []
  if (path === undefined) return undefined
  return path === '<>' ? '' : ADDRESS.exec(path)?.[0]
}

const byOthers = (header: Header, line: string) =>
  senderOf(line) ?? ADDRESS.exec(header.get('from')?.[0] ?? '')?.[0] ?? 'unknown'
