// The form of the log: a line of JSON that says which file follows, its bytes, and a line end.
import { crc32 } from 'node:zlib'

const LINE_END = Buffer.from('\n')
const LF = 0x0a

/** Where a process makes a file before it has its name. */
export const besideOf = (path, pid) => `${path}.${pid}`

/** The pieces of a record: a file as it shall be. */
export function recordOf(path, bytes) {
  const head = JSON.stringify({ path, length: bytes.length, crc: crc32(bytes) })
  return [Buffer.from(`${head}\n`), bytes, LINE_END]
}

/** The pieces of a record: a file that shall be no more. */
export const removalOf = (path) => [Buffer.from(`${JSON.stringify({ path })}\n\n`)]

/** The records of a log, up to the first that is torn: what stands behind it was never acknowledged. */
export function* recordsIn(log) {
  let at = 0
  while (at < log.length) {
    const record = recordAt(log, at)
    if (record === undefined) return
    yield { path: record.path, bytes: record.bytes }
    at = record.end
  }
}

function recordAt(log, at) {
  const headEnd = log.indexOf(LF, at)
  const head = headEnd < 0 ? undefined : asObject(log.toString('utf8', at, headEnd))
  if (typeof head?.path !== 'string') return undefined
  const start = headEnd + 1
  const end = start + (head.length ?? 0)
  if (end >= log.length || log[end] !== LF) return undefined
  if (head.length === undefined) return { path: head.path, bytes: null, end: end + 1 }
  const bytes = log.subarray(start, end)
  return crc32(bytes) === head.crc ? { path: head.path, bytes, end: end + 1 } : undefined
}

function asObject(line) {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
