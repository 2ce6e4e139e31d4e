// Reads a list of recipients: each begins a line, what stands behind and below it tells why.
import { ADDRESS, trimmedAddress } from './address.ts'

/** A recipient and the lines that belong to it. */
export interface Entry {
  email: string
  about: string[]
  /** The words before the address, where a sentence names it. */
  phrase?: string
  /** The address behind the one that we wrote to, where the report lists that. */
  behind?: string
}

const LABEL =
  '(?:(?:final |failed |original )?recipient(?: address)?|to|user|e-?mail|address|account|destinatario|empfänger)'
/** The common ways: a bullet, a label, quotation marks, angles, then the address at the line's start. */
const ENTRY = new RegExp(
  `^[\\s>*•·"'([<|-]{0,40}(?:${LABEL}\\s{0,4}[:=]\\s{0,10})?["'([<]{0,4}(?:smtp:|rfc822;\\s?|mailto:)?` +
    `(?<address>${ADDRESS})["'\\])>]{0,4}(?<rest>.*)$`,
  'i',
)
/** A name before the address: up to five words without a comma, or quoted. */
const NAMED = new RegExp(
  `^\\s{0,8}(?:"[^"]{1,80}"|[^\\s<>@:,;.]{1,40}(?: [^\\s<>@:,;]{1,40}){0,4}) ?[<(](?:mailto:)?` +
    `(?<address>${ADDRESS})[>)](?<rest>.*)$`,
  'i',
)
/** The address that we wrote to, where the listed one is what became of it. */
const ALIAS = new RegExp(
  `(?:(?:expanded|generated) from|originally addressed to|original address)[:\\s]{1,3}<?(?<address>${ADDRESS})`,
  'i',
)
/** Below these nothing is listed any more, but the lines still tell why. */
const TRANSCRIPT =
  /^[\s\-=*]*(?:transcript of|session transcript|error detail|technical details|reporting-mta:)/i

/**
 * The entries below an opening line.
 * @param lines the opening line and what follows it
 * @param written how an entry is written, with the groups `address` and `rest`
 */
export function listedIn(lines: readonly string[], written?: RegExp): Entry[] {
  const entries: Entry[] = []
  let indent = Number.POSITIVE_INFINITY
  let listing = true
  for (const [index, line] of lines.entries()) {
    const current = entries.at(-1)
    if (TRANSCRIPT.test(line)) listing = false
    const match = listing && indentOf(line) <= indent ? entryOn(line, index, written) : null
    if (match !== null) {
      indent = Math.min(indent, indentOf(line))
      entries.push(match)
    } else if (current !== undefined) current.about.push(line)
    else if (listing) entries.push(...aliasOn(line))
  }
  return entries.map(asAddressed)
}

const indentOf = (line: string) => line.search(/\S|$/)

/** On the opening line itself an address counts only behind a colon. */
function entryOn(line: string, index: number, written?: RegExp): Entry | null {
  const text = index === 0 ? (/:\s{1,10}(\S.*)$/.exec(line)?.[1] ?? line) : line
  const groups =
    (written ?? ENTRY).exec(text)?.groups ?? (written ? null : NAMED.exec(text)?.groups)
  if (!groups) return null
  return { email: trimmedAddress(groups.address ?? ''), about: [groups.rest ?? ''] }
}

function aliasOn(line: string): Entry[] {
  const email = ALIAS.exec(line)?.groups?.address
  return email === undefined ? [] : [{ email: trimmedAddress(email), about: [] }]
}

/** The alias may be wrapped to the next lines. */
function asAddressed({ email, about }: Entry): Entry {
  const near = about.slice(0, 4).join(' ').replace(/\s+/g, ' ')
  const alias = ALIAS.exec(near)?.groups?.address
  return alias === undefined
    ? { email, about }
    : { email: trimmedAddress(alias), about, behind: email }
}
