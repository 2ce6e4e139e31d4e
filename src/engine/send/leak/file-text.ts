// The text of a file that is to leave, as far as it can be had: of text files, and of what is packed in archives, which Office files are.
import { decodeText } from '../../documents/decode.ts'
import { entriesOf, isZip } from './archive.ts'
import type { Budget } from './budget.ts'
import { wordsOfHtml } from './html.ts'
import { isPdf, textsOfPdf } from './pdf.ts'
import { wordsOfXml } from './xml.ts'

/** An archive within an archive is opened, one within that is not. */
const DEPTH = 2
const SHORTEST_RUN = 8
/** One at a time: the run of letters between them may be longer than an expression can remember. */
const OTHER_BYTES = /[^\x20-\x7e\t\r\n]/
const HTML = /\.x?html?$|html\b/i
const XML = /\.(xml|rels|svg)$|xml\b/i

export interface Leaving {
  filename: string
  contentType: string
  bytes: Uint8Array
}

/** Its texts, one after the other, within the budget; of a file that is no text, the letters that stand in it. */
export function* textsOf(file: Leaving, budget: Budget, depth = DEPTH): Generator<string> {
  const { filename, contentType, bytes } = file
  const read = decodeText(bytes)
  const text = read.kind === 'text' ? read.text : lettersIn(bytes)
  yield text
  yield* wordsOf(text, `${contentType} ${filename}`, budget)
  if (isPdf(bytes)) yield* textsOfPdf(bytes, budget)
  if (!isZip(bytes)) return
  if (depth === 0) budget.unread.add('archives are packed in it more than two deep')
  else for (const entry of entriesOf(bytes, budget)) yield* textsOfEntry(entry, budget, depth - 1)
}

function* textsOfEntry(entry: Omit<Leaving, 'contentType'>, budget: Budget, depth: number) {
  yield entry.filename
  yield* textsOf({ ...entry, contentType: '' }, budget, depth)
}

/** Whether it holds more than its own bytes. */
export const isPacked = ({ bytes }: Leaving) => isZip(bytes) || isPdf(bytes)

/** The words of what has tags, by its type and name. */
function wordsOf(text: string, kind: string, budget: Budget): string[] {
  if (HTML.test(kind)) return wordsOfHtml(text, budget)
  return XML.test(kind) ? wordsOfXml(text) : []
}

/**
 * What stands in plain letters among other bytes, in one byte a letter or in two. Shorter runs come about by chance: in
 * a picture of 10 MB every word of four letters would be found once in twenty times.
 */
const lettersIn = (bytes: Uint8Array) =>
  Buffer.from(bytes)
    .toString('latin1')
    .replaceAll('\0', '')
    .split(OTHER_BYTES)
    .filter((run) => run.length >= SHORTEST_RUN)
    .join('\n')
