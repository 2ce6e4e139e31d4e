// What the SMTP door says, with the codes of RFC 5321 §4.2 and RFC 3463.

/** A refusal as smtp-server wants it: an error with the reply code; the enhanced code leads the text. */
export function reply(code: number, text: string): Error & { responseCode: number } {
  return Object.assign(new Error(text), { responseCode: code })
}

export const replies = {
  noSuchInbox: () => reply(550, '5.1.1 There is no such inbox here'),
  switchedOff: () => reply(550, '5.2.1 This inbox is switched off and takes no mail'),
  tooManyRecipients: () =>
    reply(452, '4.5.3 Too many recipients; send the rest in another transaction'),
  tooLarge: (limit: number) => reply(552, `5.3.4 The mail is larger than ${limit} bytes`),
  tryAgain: () => reply(451, '4.3.0 The mail could not be kept just now; please try again'),
  goingDown: () => reply(421, '4.3.2 The service is going down; please come again'),
  kept: (ids: readonly string[]) => `2.0.0 Kept as ${ids.join(' ')}`,
}
