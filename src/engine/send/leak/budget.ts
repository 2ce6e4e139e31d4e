// How much of one file, or one HTML body, is looked through, however it is packed. What is beyond it is said, and a person decides.

const MIB = 1024 * 1024
export const MAX_UNPACKED = 50 * MIB
/** Of archives and of PDF files: a long report has a few thousand. */
export const MAX_PARTS = 5_000

/** One for a file with all that is packed in it; whoever reads takes from it. */
export interface Budget {
  /** Bytes that may still be unpacked. */
  bytes: number
  /** Files in archives and streams in PDF files that may still be opened. */
  parts: number
  /** Why it could not be looked through whole, in words that follow "because". */
  unread: Set<string>
}

export const newBudget = (): Budget => ({
  bytes: MAX_UNPACKED,
  parts: MAX_PARTS,
  unread: new Set(),
})

/** Whether one more part may be opened. */
export function takePart(budget: Budget): boolean {
  budget.parts -= 1
  if (budget.parts < 0) budget.unread.add(TOO_MANY)
  return budget.parts >= 0
}

const TOO_MANY = `it has more than ${MAX_PARTS} parts`

/**
 * What `inflate` unpacks within what is left; or which of the two is the matter with it.
 * @param inflate of node:zlib, which stops at `maxOutputLength`
 */
export function unpack(
  budget: Budget,
  inflate: (options: { maxOutputLength: number }) => Buffer,
): Buffer | 'too much' | 'damaged' {
  try {
    // Zero would stand for the default, which is no limit.
    const unpacked = inflate({ maxOutputLength: Math.max(1, budget.bytes) })
    budget.bytes -= unpacked.length
    return budget.bytes < 0 ? 'too much' : unpacked
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    return code === 'ERR_BUFFER_TOO_LARGE' ? 'too much' : 'damaged'
  }
}

export const TOO_MUCH = `it unpacks to more than ${MAX_UNPACKED / MIB} MB`
