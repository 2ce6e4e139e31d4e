/** The records of a log, up to the first that is torn; `bytes` is null where the file shall be no more. */
export function recordsIn(log: Buffer): Generator<{ path: string; bytes: Buffer | null }>
