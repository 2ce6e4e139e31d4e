// The files of a ZIP archive, unpacked one after the other within a budget. PKWARE APPNOTE §4.3.
import { inflateRawSync } from 'node:zlib'
import { type Budget, TOO_MUCH, takePart, unpack } from './budget.ts'

export interface Entry {
  filename: string
  bytes: Buffer
}

/** §4.3.7: a local file header comes first. */
export const isZip = (bytes: Uint8Array) =>
  bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 3 && bytes[3] === 4

const END_OF_DIRECTORY = 'PK\u0005\u0006'
const DIRECTORY_HEADER = 0x02014b50
const STORED = 0
const DEFLATED = 8
const DAMAGED = 'a part of it is damaged, locked, or packed in a way that is not known here'

/** Sizes are measured and not believed: they may say anything. It does not throw. */
export function* entriesOf(bytes: Uint8Array, budget: Budget): Generator<Entry> {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  try {
    for (const header of headersOf(file)) {
      if (!takePart(budget)) return
      const found = dataOf(file, header, budget)
      if (found === 'too much') budget.unread.add(TOO_MUCH)
      else if (found === 'damaged') budget.unread.add(DAMAGED)
      yield { filename: header.filename, bytes: Buffer.isBuffer(found) ? found : Buffer.alloc(0) }
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    // A place that it names is none.
    budget.unread.add(DAMAGED)
  }
}

interface Header {
  filename: string
  locked: boolean
  method: number
  packed: number
  place: number
}

/** §4.3.12: the directory at the end. Throws RangeError where it is cut off. */
function* headersOf(file: Buffer): Generator<Header> {
  const end = file.lastIndexOf(END_OF_DIRECTORY, undefined, 'latin1')
  if (end < 0) throw new RangeError('an archive has a directory')
  let at = file.readUInt32LE(end + 16)
  for (let left = file.readUInt16LE(end + 10); left > 0; left -= 1) {
    if (file.readUInt32LE(at) !== DIRECTORY_HEADER) throw new RangeError('the directory ends early')
    const name = at + 46
    const behind = name + file.readUInt16LE(at + 28)
    yield {
      filename: file.toString('utf8', name, behind),
      locked: file.readUInt16LE(at + 8) % 2 === 1,
      method: file.readUInt16LE(at + 10),
      packed: file.readUInt32LE(at + 20),
      place: file.readUInt32LE(at + 42),
    }
    at = behind + file.readUInt16LE(at + 30) + file.readUInt16LE(at + 32)
  }
}

function dataOf(file: Buffer, { locked, method, packed, place }: Header, budget: Budget) {
  const start = place + 30 + file.readUInt16LE(place + 26) + file.readUInt16LE(place + 28)
  const data = file.subarray(start, start + packed)
  if (locked || (method !== STORED && method !== DEFLATED)) return 'damaged'
  if (method === DEFLATED) return unpack(budget, (options) => inflateRawSync(data, options))
  return unpack(budget, () => data)
}
