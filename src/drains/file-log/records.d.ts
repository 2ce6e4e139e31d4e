export interface LogRecord {
  path: string
  /** Null where the file shall be no more. */
  bytes: Buffer | null
  /** When it was promised, in microseconds; 0 in logs of versions that did not write it. */
  at: number
}

export const LOG: RegExp

/** The records of a log, up to the first that is torn. */
export function recordsIn(log: Buffer): Generator<LogRecord>
