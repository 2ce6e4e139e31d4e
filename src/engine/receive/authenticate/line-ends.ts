// Mail that came over another way than SMTP may end its lines with LF alone; signatures are made over CRLF.

const LF = 0x0a
const CR = 0x0d

/** Whether the lines of this mail end with LF alone; the first one tells. RFC 5321 §2.3.8 has CRLF only. */
export function hasBareLineEnds(raw: Buffer): boolean {
  const at = raw.indexOf(LF)
  return at >= 0 && raw[at - 1] !== CR
}

/** The same lines, each with CRLF. */
export const withLineEnds = (lines: Buffer) =>
  Buffer.from(lines.toString('latin1').replace(/\r?\n/g, '\r\n'), 'latin1')
