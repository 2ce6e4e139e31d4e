// What a file that came with a mail, or goes with one, is called where anybody sees it. Pure.

const MAX_FILENAME = 255

/**
 * The last part of a name, in one line and in the order in which it is written: whoever keeps the file under it writes
 * into no other folder, and an ending that is shown is the ending. Undefined where nothing is left. RFC 2183 §2.3.
 */
export function shownFilename(given: string): string | undefined {
  const name = given
    .replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')
    .replace(/^.*[/\\]/s, '')
    .replace(/\p{Bidi_Control}+/gu, '')
    .trim()
  if (name === '' || /^\.+$/.test(name)) return undefined
  return name.length <= MAX_FILENAME ? name : shortened(name)
}

/** The ending says what it is, so it stays. */
function shortened(name: string): string {
  const ending = /\.[^.]{1,20}$/.exec(name)?.[0] ?? ''
  return (name.slice(0, MAX_FILENAME - ending.length) + ending).toWellFormed()
}
