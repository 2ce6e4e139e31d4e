// What comes after DATA: read to the end in any case, so that the sender hears the answer; kept only where it can be taken.
import type { SMTPServerDataStream } from 'smtp-server'
import { MAIL_LIMIT } from './limits.ts'
import { newlineCheck, normalizer } from './newlines.ts'

export type BareNewlines = 'reject' | 'normalize'

export type Content =
  | { kind: 'whole'; raw: Buffer }
  | { kind: 'too_large' }
  | { kind: 'bare_newline' }
  /** The connection ended before the final dot: there is nobody to answer. */
  | { kind: 'broken_off' }

/** Most mails fit without growing. */
const FIRST_BYTES = 8 * 1024

/** Reads a mail from behind DATA; the library has taken the dot-stuffing out and ended it at CRLF.CRLF. It does not throw. */
export function contentOf(stream: SMTPServerDataStream, onBare: BareNewlines): Promise<Content> {
  const newlines = newlineCheck()
  const bytes = growing()
  const asKept = onBare === 'normalize' ? normalizer() : (chunk: Buffer) => chunk
  const isTooLarge = () => stream.sizeExceeded || bytes.length() > MAIL_LIMIT
  const isRefused = () => newlines.bare && onBare === 'reject'
  return new Promise((resolve) => {
    stream.on('data', (chunk: Buffer) => {
      newlines.see(chunk)
      if (isTooLarge() || isRefused()) bytes.drop()
      else bytes.add(asKept(chunk))
    })
    stream.once('error', () => resolve({ kind: 'broken_off' }))
    stream.once('close', () => resolve({ kind: 'broken_off' }))
    stream.once('end', () => {
      if (isTooLarge()) return resolve({ kind: 'too_large' })
      resolve(isRefused() ? { kind: 'bare_newline' } : { kind: 'whole', raw: bytes.all() })
    })
  })
}

/** The library hands over a chunk for every stuffed dot: copied together, 25 MB of dots are 25 MB and not a thousand. */
function growing() {
  let store = Buffer.allocUnsafe(FIRST_BYTES)
  let length = 0
  return {
    add(chunk: Buffer) {
      const needed = length + chunk.length
      if (needed > store.length) {
        const larger = Buffer.allocUnsafe(Math.max(needed, store.length * 2))
        store.copy(larger, 0, 0, length)
        store = larger
      }
      chunk.copy(store, length)
      length = needed
    },
    /** Lets go of them; how many there were stays known. */
    drop() {
      store = Buffer.alloc(0)
    },
    length: () => length,
    all: () => store.subarray(0, length),
  }
}
