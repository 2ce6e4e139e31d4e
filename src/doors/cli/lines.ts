// Lines of JSON over a stream: how MCP speaks over stdio and how commands speak over the run socket.
import type { Readable } from 'node:stream'

const NEWLINE = 0x0a

/**
 * Calls `take` for each line. Not node:readline, which also breaks lines at U+2028, and JSON may hold that.
 * What follows the last newline is no line: whoever wrote it died in the middle of it.
 */
export function onLines(stream: Readable, take: (line: string) => void): void {
  let rest: Buffer[] = []
  stream.on('data', (chunk: Buffer) => {
    let start = 0
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      const line = Buffer.concat([...rest, chunk.subarray(start, end)]).toString('utf8')
      rest = []
      start = end + 1
      if (line.trim() !== '') take(line)
    }
    if (start < chunk.length) rest.push(chunk.subarray(start))
  })
}

/** The object that a line holds; undefined where it holds none. */
export function asObject(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}
