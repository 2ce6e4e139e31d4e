// Reads mails: small ones at once, large ones on a thread.
import { readAttachment } from './mime/read.js'
import { createReadingThreads, type Limits } from './threads.ts'
import { type Circumstances, type Taken, take } from './understand.ts'

/**
 * Up to here a mail is read on the main thread: the worst one found of this size (a style sheet that asks each element
 * for its ancestors) takes 45 ms, one of twice the size 125 ms; a common one of 4 KB 0.1 ms.
 */
const MAIN_THREAD_BYTES = 8 * 1024
/** A mail of 25 MB takes 0.1 s, the worst one found 2.1 s. */
const LIMITS: Limits = { deadlineMs: 5_000, heapMb: 256, threads: 2 }

export interface AttachmentBytes {
  filename: string | null
  contentType: string
  bytes: Buffer
}

export interface MailReader {
  /** Rejects where a mail takes longer than the deadline, or more than the memory. */
  take(raw: Buffer, circumstances: Circumstances): Promise<Taken>
  /**
   * One attachment by its position in the mail's list; undefined where there is none.
   * Rejects where reading takes longer than the deadline.
   */
  readAttachment(raw: Buffer, position: number): Promise<AttachmentBytes | undefined>
  close(): Promise<void>
}

export function createMailReader(limits: Partial<Limits> = {}): MailReader {
  const threads = createReadingThreads({ ...LIMITS, ...limits })
  return {
    async take(raw, circumstances) {
      if (isSmall(raw)) return take(raw, circumstances)
      return (await threads.run({ raw, circumstances })) as Taken
    },
    async readAttachment(raw, position) {
      if (isSmall(raw)) return readAttachment(raw, position)
      const found = (await threads.run({ raw, position })) as AttachmentBytes | undefined
      return found && { ...found, bytes: asBuffer(found.bytes) }
    },
    close: threads.close,
  }
}

const isSmall = (raw: Buffer) => raw.length <= MAIN_THREAD_BYTES

/** A Buffer arrives from a thread as a plain array of bytes. */
const asBuffer = (bytes: Uint8Array) =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
