// Reads mails: small ones at once, large ones on a thread, and of those that fail as much as can be had.
import { type Mail, readAttachment, readHeader, readMail } from './mime/read.js'
import { createReadingThreads, type Limits } from './mime/threads.ts'

/**
 * Up to here a mail is read on the main thread: the worst one found of this size (an address field of empty
 * groups) takes 50 ms, a common one of 4 KB 0.03 ms.
 */
const MAIN_THREAD_BYTES = 32 * 1024
/** A mail of 25 MB takes 0.1 s, the worst one found 2.1 s. */
const LIMITS: Limits = { deadlineMs: 5_000, heapMb: 256, threads: 2 }

export interface AttachmentBytes {
  filename: string | null
  contentType: string
  bytes: Buffer
}

export interface Reading {
  /** `failed`: the header at most could be read. */
  status: 'ok' | 'partial' | 'failed'
  /** Null where not even the header could be read. */
  mail: Mail | null
}

export interface MailReader {
  /** Never rejects: a mail that cannot be read is still a mail. */
  read(raw: Buffer): Promise<Reading>
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
    async read(raw) {
      try {
        const mail = isSmall(raw) ? readMail(raw) : ((await threads.run({ raw })) as Mail)
        return { status: mail.status, mail }
      } catch {
        return headerOnly(raw)
      }
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

function headerOnly(raw: Buffer): Reading {
  try {
    return { status: 'failed', mail: readHeader(raw) }
  } catch {
    return { status: 'failed', mail: null }
  }
}

/** A Buffer arrives from a thread as a plain array of bytes. */
const asBuffer = (bytes: Uint8Array) =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
