// The Date of a mail that goes later: readers sort by it, so it is the hour at which the mail leaves. Pure.

const END_OF_HEADER = '\r\n\r\n'
const DATE_FIELD = /^Date:[^\r\n]*(\r\n[ \t][^\r\n]*)*/im

/** The same mail with another Date (RFC 5322 §3.6.1). @param raw a mail of ours, lines ended by CRLF */
export function redated(raw: Buffer, at: Date): Buffer {
  const end = raw.indexOf(END_OF_HEADER)
  const header = raw.subarray(0, end).toString('latin1')
  if (end < 0 || !DATE_FIELD.test(header)) throw new Error('a mail of ours has a Date')
  const date = `Date: ${at.toUTCString().replace('GMT', '+0000')}`
  return Buffer.concat([Buffer.from(header.replace(DATE_FIELD, date), 'latin1'), raw.subarray(end)])
}
