// Parsing without end is no excuse to lose a mail: what cannot be understood keeps its header, or its bytes alone.
import { type AttachmentBytes, createMailReader, type MailReader } from './reader.ts'
import { type Circumstances, type Taken, takeHeader } from './understand.ts'

export interface MailParser {
  /**
   * Parses a mail and hashes it; never rejects. Above 8 KiB it runs on a thread for at most 5 s; where that fails,
   * the header is read alone, and where that fails too the mail has no more than its bytes.
   */
  take(raw: Buffer, circumstances: Circumstances): Promise<Taken>
  /** The bytes of an attachment by its position; undefined where there is none. */
  readAttachment(raw: Buffer, position: number): Promise<AttachmentBytes | undefined>
  close(): Promise<void>
}

export function createMailParser(reader: MailReader = createMailReader()): MailParser {
  return {
    take: (raw, circumstances) =>
      reader.take(raw, circumstances).catch(() => takeHeader(raw, circumstances)),
    readAttachment: reader.readAttachment,
    close: reader.close,
  }
}
