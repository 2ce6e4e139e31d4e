// Mail that came over another way than SMTP may end its lines with LF alone; signatures are made over CRLF.

const LF = 0x0a
const CR = 0x0d
const CRLF = Buffer.from('\r\n')

/** The same mail with CRLF wherever a line ends; the same bytes where they are right already. RFC 5321 §2.3.8. */
export function withLineEnds(raw: Buffer): Buffer {
  const parts: Buffer[] = []
  let start = 0
  for (let at = raw.indexOf(LF); at >= 0; at = raw.indexOf(LF, at + 1)) {
    if (at > 0 && raw[at - 1] === CR) continue
    parts.push(raw.subarray(start, at), CRLF)
    start = at + 1
  }
  return start === 0 ? raw : Buffer.concat([...parts, raw.subarray(start)])
}
