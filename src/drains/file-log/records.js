// The form of the log: a line of JSON that says which file follows, its bytes, and a line end.
import { crc32 } from 'node:zlib'

export const LOG = /\.log$/
const LINE_END = Buffer.from('\n')
const LF = 0x0a

/** Where a process makes a file before it has its name. */
export const besideOf = (path, pid) => `${path}.${pid}`

let last = 0

/** The time of a record, in microseconds: of two records of one process the later one has the greater. */
export function nextTime() {
  last = Math.max(Date.now() * 1000, last + 1)
  return last
}

/** The pieces of a record: a file as it shall be. */
export function recordOf(path, bytes, at) {
  const head = JSON.stringify({ path, at, length: bytes.length, crc: crc32(bytes) })
  return [Buffer.from(`${head}\n`), bytes, LINE_END]
}

/** The pieces of a record: a file that shall be no more. */
export const removalOf = (path, at) => [Buffer.from(`${JSON.stringify({ path, at })}\n\n`)]

/** The records of a log, up to the first that is torn: what stands behind it was never acknowledged. */
export function* recordsIn(log) {
  let from = 0
  while (from < log.length) {
    const record = recordAt(log, from)
    if (record === undefined) return
    yield record
    from = record.end
  }
}

function recordAt(log, from) {
  const headEnd = log.indexOf(LF, from)
  const head = headEnd < 0 ? undefined : asObject(log.toString('utf8', from, headEnd))
  if (typeof head?.path !== 'string') return undefined
  const { path, at = 0 } = head
  const start = headEnd + 1
  const end = start + (head.length ?? 0)
  if (end >= log.length || log[end] !== LF) return undefined
  if (head.length === undefined) return { path, at, bytes: null, end: end + 1 }
  const bytes = log.subarray(start, end)
  return crc32(bytes) === head.crc ? { path, at, bytes, end: end + 1 } : undefined
}

function asObject(line) {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
