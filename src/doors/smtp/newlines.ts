// CR and LF that are not CRLF: what one server reads as the end of a mail and the next one does not. RFC 5321 §2.3.8.

const CR = 0x0d
const LF = 0x0a

export interface NewlineCheck {
  /** True once a CR without LF, or an LF without CR, was seen. */
  readonly bare: boolean
  see(chunk: Buffer): void
}

/** Looks for bare newlines in a mail that comes in chunks, wherever they are cut. */
export function newlineCheck(): NewlineCheck {
  let afterCr = false
  let bare = false
  return {
    get bare() {
      return bare
    },
    see(chunk) {
      for (let i = 0; i < chunk.length; i += 1) {
        const byte = chunk[i]
        if (afterCr !== (byte === LF)) bare = true
        afterCr = byte === CR
      }
    },
  }
}

/**
 * Makes every newline CRLF. CRs before an LF belong to it, however many: CR CR LF is what a text gets that was
 * translated twice. A CR alone is a line end of its own, as an old Macintosh wrote it.
 */
export function normalized(mail: Buffer): Buffer {
  const out = Buffer.allocUnsafe(mail.length * 2)
  let length = 0
  let crs = 0
  const newline = () => {
    out[length] = CR
    out[length + 1] = LF
    length += 2
  }
  for (let i = 0; i <= mail.length; i += 1) {
    const byte = mail[i]
    if (byte === CR) {
      crs += 1
      continue
    }
    if (byte === LF) newline()
    else for (; crs > 0; crs -= 1) newline()
    crs = 0
    if (byte !== undefined && byte !== LF) {
      out[length] = byte
      length += 1
    }
  }
  return out.subarray(0, length)
}
