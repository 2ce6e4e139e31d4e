// Parsing without end is no excuse to lose a mail: what cannot be understood keeps its header, or its bytes alone.
import { type AttachmentBytes, createMailReader, type MailReader } from './reader.ts'
import { type Parsed, understandHeader } from './understand.ts'

export interface MailParser {
  /**
   * Parses a mail; never rejects. Above 8 KiB it runs on a thread for at most 5 s; where that fails,
   * the header is read alone, and where that fails too the mail has no more than its bytes.
   */
  parse(raw: Buffer, mailFrom: string): Promise<Parsed>
  /** The bytes of an attachment by its position; undefined where there is none. */
  readAttachment(raw: Buffer, position: number): Promise<AttachmentBytes | undefined>
  close(): Promise<void>
}

export function createMailParser(reader: MailReader = createMailReader()): MailParser {
  return {
    parse: (raw, mailFrom) =>
      reader.understand(raw, mailFrom).catch(() => understandHeader(raw, mailFrom)),
    readAttachment: reader.readAttachment,
    close: reader.close,
  }
}
