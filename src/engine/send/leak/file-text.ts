// The text of a file that is to leave, as far as it can be had: of text files, and of what is packed in archives, which Office files are.
import { unzipSync } from 'fflate'
import { decodeText } from '../../documents/decode.ts'
import { wordsOfHtml } from './html.ts'
import { isPdf, textsOfPdf } from './pdf.ts'
import { wordsOfXml } from './xml.ts'

const MIB = 1024 * 1024
/** Limits of an archive: what is beyond them is not unpacked. */
const MAX_ENTRIES = 200
const MAX_UNPACKED = 50 * MIB
const MAX_RATIO = 100
/** An archive within an archive is opened, one within that is not. */
const DEPTH = 2
const PLAIN_LETTERS = /[\x20-\x7e\t\r\n]{8,}/g
const HTML = /\.x?html?$|html\b/i
const XML = /\.(xml|rels|svg)$|xml\b/i

export interface Leaving {
  filename: string
  contentType: string
  bytes: Uint8Array
}

/** Its texts; of a file that is no text, the letters that stand in it. It does not throw. */
export function textsOf({ filename, contentType, bytes }: Leaving, depth = DEPTH): string[] {
  const packed = depth > 0 && isZip(bytes) ? entriesOf(bytes) : []
  const read = decodeText(bytes)
  const text = read.kind === 'text' ? read.text : lettersIn(bytes)
  const markup = wordsOf(text, `${contentType} ${filename}`)
  const drawn = isPdf(bytes) ? textsOfPdf(bytes) : []
  const inner = packed.flatMap((entry) => [entry.filename, ...textsOf(entry, depth - 1)])
  return [text, ...markup, ...drawn, ...inner]
}

/** The words of what has tags, by its type and name. */
function wordsOf(text: string, kind: string): string[] {
  if (HTML.test(kind)) return wordsOfHtml(text)
  return XML.test(kind) ? wordsOfXml(text) : []
}

/**
 * What stands in plain letters among other bytes, in one byte a letter or in two. Shorter runs come about by chance: in
 * a picture of 10 MB every word of four letters would be found once in twenty times.
 */
const lettersIn = (bytes: Uint8Array) =>
  (Buffer.from(bytes).toString('latin1').replaceAll('\0', '').match(PLAIN_LETTERS) ?? []).join('\n')

/** PKWARE APPNOTE §4.3.7: a local file header comes first. */
const isZip = (bytes: Uint8Array) =>
  bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 3 && bytes[3] === 4

function entriesOf(bytes: Uint8Array): Leaving[] {
  let entries = 0
  let unpacked = 0
  try {
    const files = unzipSync(bytes, {
      filter({ size, originalSize }) {
        entries += 1
        unpacked += originalSize
        const bomb = originalSize > MIB && originalSize > size * MAX_RATIO
        return entries <= MAX_ENTRIES && unpacked <= MAX_UNPACKED && !bomb
      },
    })
    return Object.entries(files).map(([filename, inner]) => ({
      filename,
      contentType: '',
      bytes: inner,
    }))
  } catch {
    // Damaged, encrypted or packed in a way of its own: its bytes are looked through as they are.
    return []
  }
}
