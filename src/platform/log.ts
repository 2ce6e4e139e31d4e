/** The log: JSON lines on stderr, pretty on a terminal; stdout belongs to the MCP frames. */
import { pino } from 'pino'
import pretty from 'pino-pretty'

export interface Log {
  error: LogLine
  warn: LogLine
  info: LogLine
  debug: LogLine
  /** The same log with these fields in every line. */
  child(fields: object): Log
}

export type LogLine = (fields: object, message: string) => void

export interface LogOptions {
  /** Lines below this level are dropped. */
  level: string
  stream?: NodeJS.WritableStream & { isTTY?: boolean }
  /** Human-readable lines in place of JSON; by default where the stream is a terminal. */
  pretty?: boolean
}

const SECRETS = ['password', 'apiKey', 'secret', 'authorization', '*.password', '*.authorization']

/** A log that writes each line before it returns, so that a crash loses none. */
export function createLog(options: LogOptions): Log {
  const stream = options.stream ?? process.stderr
  const human = options.pretty ?? stream.isTTY === true
  // pino-pretty as a stream of its own worker would lose the last lines of a process that exits.
  const target = human
    ? pretty({ destination: stream, sync: true, colorize: human, singleLine: true })
    : stream
  return pino(
    {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: SECRETS, censor: '[hidden]' },
    },
    target,
  )
}
