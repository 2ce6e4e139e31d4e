// Words that stand in a header field: nothing in them may mean more than it says. Pure.

/**
 * One line, without what a reader would take for an encoded word (RFC 2047 §2): the guards look at the words as they
 * are written, so the recipient must not read others.
 */
export function headerText(text: string): string {
  return text
    .replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')
    .replaceAll('=?', '= ?')
    .toWellFormed()
}
