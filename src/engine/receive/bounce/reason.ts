// Why a mail came back: the reply code, the enhanced status and the words.
import type { Failure } from './failure.ts'

/** As long as what an SMTP refusal leaves behind. */
const LONGEST_REASON = 500
/** Where numbers are looked for. */
const MAX_SEARCHED = 4_000

/** Negative replies in use, RFC 5321 §4.2.3 and its extensions, where a reply may begin. */
const CODE =
  /(?:^|[\s:('"<>#;{])(4(?:21|22|3[0-2]|4[1-9]|5\d|7[01])|5(?:0[0-5]|1[0-3]|2[1-5]|3[0-8]|4[12]|5\d|7[0-9]))(?=$|[\s\-:#)'",.;<}\]])/m
/** Not the middle of an address of a host. */
const STATUS = /(?<![\d.])([45]\.\d{1,3}\.\d{1,3})(?![\d]|\.\d)/g

/** The first negative reply code of a text, 400 to 599, or null. */
export function smtpCode(text: string): number | null {
  const code = CODE.exec(text.slice(0, MAX_SEARCHED))?.[1]
  return code === undefined ? null : Number(code)
}

/** The most telling enhanced status of some texts: one that says more than "failed" comes first. */
export function enhancedStatus(...texts: readonly string[]): string | null {
  const found = texts.flatMap((text) => text.slice(0, MAX_SEARCHED).match(STATUS) ?? [])
  return found.find((status) => !status.endsWith('.0.0')) ?? found[0] ?? null
}

/** The first of some texts that says anything, on one line. */
export function sayings(...texts: readonly (string | undefined)[]): string {
  for (const text of texts) {
    const line = oneLine(text ?? '')
    if (/[\p{L}\d]{2}/u.test(line)) return line.slice(0, LONGEST_REASON)
  }
  return ''
}

const oneLine = (text: string) =>
  text
    .slice(0, MAX_SEARCHED)
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .replace(/^[ :;,.*–）。，-]+|[ :(<[]+$/g, '')
    .trim()

/** RFC 3463 §3 in our words, for reports that give a number alone. */
const MEANINGS: Record<string, string> = {
  '1.0': 'something is wrong with the address',
  '1.1': 'there is no such mailbox',
  '1.2': 'there is no such mail system',
  '1.3': 'the address is not well formed',
  '1.4': 'the address fits more than one mailbox',
  '1.6': 'the mailbox has moved',
  '1.10': 'the domain accepts no mail',
  '2.0': 'something is wrong with the mailbox',
  '2.1': 'the mailbox is switched off',
  '2.2': 'the mailbox is full',
  '2.3': 'the mail is larger than the mailbox accepts',
  '2.4': 'the mailing list could not be expanded',
  '3.1': 'the mail system is full',
  '3.2': 'the mail system accepts nothing at the moment',
  '3.4': 'the mail is larger than the mail system accepts',
  '4.1': 'the host did not answer',
  '4.2': 'the connection was lost',
  '4.3': 'the directory server failed',
  '4.4': 'there is no way to the host',
  '4.5': 'the mail system is congested',
  '4.6': 'the mail went in a circle',
  '4.7': 'the time for delivery ran out',
  '5.3': 'too many recipients',
  '6.0': 'the content was not accepted',
  '7.0': 'refused for reasons of security or policy',
  '7.1': 'delivery is not authorized: the mail was refused',
  '7.26': 'the mail did not pass authentication',
}

/** Words for where the report has none of its own. */
export function meaningOf({ status, permanent }: Pick<Failure, 'status' | 'permanent'>): string {
  const meaning = MEANINGS[status?.slice(2) ?? '']
  return meaning ?? (permanent ? 'the mail was not delivered' : 'the mail was not delivered yet')
}
