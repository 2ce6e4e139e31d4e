// CR and LF that are not CRLF: what one server reads as the end of a mail and the next one does not. RFC 5321 §2.3.8.

const CR = 0x0d
const LF = 0x0a
const CRLF = 0x0d0a
/** Before an LF. */
const MAX_CRS = 2

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
      bare ||= isBare(chunk, afterCr)
      if (chunk.length > 0) afterCr = chunk.at(-1) === CR
    },
  }
}

function isBare(chunk: Buffer, afterCr: boolean): boolean {
  let isAfterCr = afterCr
  for (let i = 0; i < chunk.length; i += 1) {
    const byte = chunk[i] as number
    // Most bytes are neither, and every one comes by here.
    if (byte > CR && !isAfterCr) continue
    if (isAfterCr !== (byte === LF)) return true
    isAfterCr = byte === CR
  }
  return false
}

/**
 * Makes every newline CRLF, chunk by chunk; what it returns is the mail so far, save CRs that may belong to an LF yet.
 * CR LF and CR CR LF, which is what a text gets that was translated twice, are one newline each; any other CR or LF
 * is one too, as an old Macintosh or a Unix wrote it.
 */
export function normalizer(): (chunk: Buffer) => Buffer {
  let out = Buffer.alloc(0)
  let length = 0
  let crs = 0
  const newlines = (count: number) => {
    for (let i = 0; i < count; i += 1) length = out.writeUInt16BE(CRLF, length)
  }
  const take = (byte: number) => {
    if (byte === CR) {
      newlines(crs === MAX_CRS ? 1 : 0)
      crs = Math.min(crs + 1, MAX_CRS)
      return
    }
    newlines(byte === LF ? 1 : crs)
    crs = 0
    if (byte !== LF) length = out.writeUInt8(byte, length)
  }
  return (chunk) => {
    out = Buffer.allocUnsafe(2 * (chunk.length + MAX_CRS))
    length = 0
    for (let i = 0; i < chunk.length; i += 1) take(chunk[i] ?? 0)
    return out.subarray(0, length)
  }
}
