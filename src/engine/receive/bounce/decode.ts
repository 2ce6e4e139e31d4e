// What a part says, as text: transfer encoding, character set and, for HTML, its lines.

/** RFC 2045 §6 and RFC 2046 §4.1.2: a part's bytes, held as a latin1 string, in their own letters. */
export function decodeBody(body: string, encoding = '', contentType = ''): string {
  return inCharset(transferDecoded(body, encoding.trim().toLowerCase()), charsetOf(contentType))
}

function transferDecoded(body: string, encoding: string): Buffer {
  if (encoding === 'base64') return Buffer.from(body, 'base64')
  if (encoding === 'quoted-printable') return Buffer.from(unquoted(body), 'latin1')
  return Buffer.from(body, 'latin1')
}

/** RFC 2045 §6.7. */
const unquoted = (text: string) => text.replace(/=\r?\n/g, '').replace(/=([\dA-F]{2})/gi, byte)

const byte = (_: string, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))

const charsetOf = (contentType: string) =>
  /charset\s*=\s*"?([\w.:-]{1,40})/i.exec(contentType)?.[1] ?? 'utf-8'

/** Bytes that are not what they claim are read as latin1: then every address is still legible. */
function inCharset(bytes: Buffer, charset: string): string {
  try {
    return new TextDecoder(charset, { fatal: true }).decode(bytes)
  } catch {
    return bytes.toString('latin1')
  }
}

/** An encoded word of a header, RFC 2047 §2. */
const WORD =
  /=\?([\w.:-]{1,40})(?:\*[\w-]{0,20})?\?([BQ])\?([^?\s]{0,400})\?=(?:\s{1,10}(?==\?))?/gi

/** RFC 5322 §2.1.1 allows a line of 998; no subject needs more than a few. */
const MAX_WORDS = 4_000

/** A header's value with its encoded words read. */
export function decodeWords(value: string): string {
  if (!value.includes('=?')) return value
  return value
    .slice(0, MAX_WORDS)
    .replace(WORD, (_, charset: string, kind: string, text: string) => {
      const base64 = kind.toUpperCase() === 'B'
      const body = base64 ? text : text.replaceAll('_', ' ')
      return inCharset(transferDecoded(body, base64 ? 'base64' : 'quoted-printable'), charset)
    })
}

const ENTITIES: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"', nbsp: ' ' }
const UNSEEN = /<(script|style|head)\b[^<>]{0,500}>/gi
const LINK = /<a\b[^<>]{0,500}?href\s*=\s*"?mailto:([^"?<>\s]{1,254})[^<>]{0,500}>/gi
const BREAK = /<\/?(?:br|p|div|tr|li|td|th|h\d|table|hr|pre|blockquote)\b[^<>]{0,1000}>/gi
const TAG = /<[!/a-z][^<>]{0,1000}>/gi

/** The lines of an HTML notice, a link to an address with that address beside it. */
export function htmlLines(html: string): string {
  const shown = withoutElements(html)
  // Some systems call plain text HTML: then its own lines are the lines.
  const flowed = /<(?:br|p|div|td|li)\b/i.test(shown) ? shown.replace(/\s+/g, ' ') : shown
  return flowed
    .replace(LINK, ' &lt;$1&gt; ')
    .replace(BREAK, '\n')
    .replace(TAG, '')
    .replace(/&(?:#(\d{1,7})|(\w{2,6}));/g, entity)
}

/** Style sheets and the like, dropped from tag to tag in one pass. */
function withoutElements(html: string): string {
  const lower = html.toLowerCase()
  let kept = ''
  let at = 0
  for (const open of html.matchAll(UNSEEN)) {
    if (open.index < at) continue
    const close = lower.indexOf(`</${open[1]?.toLowerCase()}`, open.index)
    if (close < 0) break
    kept += html.slice(at, open.index)
    at = close
  }
  return kept + html.slice(at)
}

function entity(whole: string, code: string | undefined, name = ''): string {
  if (code === undefined) return ENTITIES[name.toLowerCase()] ?? whole
  const point = Number(code)
  return point > 0 && point <= 0x10ffff ? String.fromCodePoint(point) : whole
}
