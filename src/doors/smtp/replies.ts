// What the SMTP door says, with the codes of RFC 5321 §4.2 and RFC 3463.
import { MAIL_LIMIT, MAX_RECEIVED } from './limits.ts'

export type Reply = Error & { responseCode: number }

/** A refusal as smtp-server wants it: an error with the reply code; the enhanced code leads the text. */
export function reply(code: number, text: string): Reply {
  return Object.assign(new Error(text), { responseCode: code })
}

export const replies = {
  noSuchInbox: () => reply(550, '5.1.1 There is no such inbox here'),
  switchedOff: () => reply(550, '5.2.1 This inbox is switched off and takes no mail'),
  guessing: () => reply(421, '4.7.0 Too many unknown recipients; please check your list'),
  tooLarge: () => reply(552, `5.3.4 The mail is larger than ${MAIL_LIMIT} bytes`),
  bareNewline: () => reply(550, '5.6.0 The mail holds a bare CR or LF; lines end with CRLF'),
  tooManyHops: () =>
    reply(554, `5.4.6 More than ${MAX_RECEIVED} Received lines: this mail goes in circles`),
  ownLoop: (hostname: string) =>
    reply(554, `5.4.6 This mail was at ${hostname} before: it goes in circles`),
  refused: (code: number, text: string) => reply(code, text),
  tryAgain: () => reply(451, '4.3.0 The mail could not be kept just now; please try again'),
  diskFull: () => reply(452, '4.3.1 There is no room for the mail just now; please try again'),
  goingDown: () => reply(421, '4.3.2 The service is going down; please come again'),
  tooBusy: () => reply(421, '4.3.2 Too many connections; please come again'),
  tooManyFromYou: () => reply(421, '4.7.0 Too many connections from your address'),
  tooSlow: () => reply(421, '4.4.2 That took too long; please come again'),
  kept: (ids: readonly string[]) => `2.0.0 Kept as ${ids.join(' ')}`,
}
