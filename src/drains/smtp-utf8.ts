// Mail with addresses that are not ASCII: told only to servers that know what that is. RFC 6531.
import { isAscii } from 'node:buffer'
import type { OutgoingMail } from '../engine/ports.ts'

const NOT_ASCII = /\P{ASCII}/u

/** Whether the mail needs SMTPUTF8: an address of the envelope does, or its header is UTF-8. RFC 6531 §3.4. */
export function isInternational({ envelope, raw }: OutgoingMail): boolean {
  if ([envelope.from, ...envelope.to].some((address) => NOT_ASCII.test(address))) return true
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength)
  const end = bytes.indexOf('\r\n\r\n')
  return !isAscii(bytes.subarray(0, end < 0 ? bytes.length : end))
}

/** Of nodemailer's connection, beside what its types show; the version is pinned. */
export interface Session {
  _supportedExtensions: readonly string[]
  _setEnvelope(envelope: unknown, done: (error: Error) => void): void
  _sendCommand(line: string, shown?: string): void
}

/**
 * The next mail of this session has SMTPUTF8, or is not begun and `refused` is called. nodemailer itself looks at
 * the envelope alone, and where the server offers nothing it sends the letters all the same.
 */
export function withSmtpUtf8(session: Session, refused: () => void): void {
  const { _setEnvelope: setEnvelope, _sendCommand: sendCommand } = session
  session._setEnvelope = (envelope, done) => {
    session._setEnvelope = setEnvelope
    if (!session._supportedExtensions.includes('SMTPUTF8')) {
      refused()
      // With this code the session stays open for the next mail.
      return done(Object.assign(new Error('the server offers no SMTPUTF8'), { code: 'EENVELOPE' }))
    }
    session._sendCommand = (line, shown) => {
      session._sendCommand = sendCommand
      const said = / SMTPUTF8\b/.test(line.slice(line.lastIndexOf('>'))) ? line : `${line} SMTPUTF8`
      session._sendCommand(said, shown)
    }
    session._setEnvelope(envelope, done)
  }
}
