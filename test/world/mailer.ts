/** Somebody out there who writes mail: a real SMTP client. */
import { createTransport } from 'nodemailer'

export interface Letter {
  from: string
  to: string
  subject: string
  text?: string
  messageId?: string
  inReplyTo?: string
  references?: string[]
}

/** Sends it on a connection of its own; resolves with its Message-ID once it is acknowledged, rejects with the refusal. */
export async function mail(
  server: { host: string; port: number },
  letter: Letter,
): Promise<string> {
  const client = createTransport({ ...server, ignoreTLS: true })
  const { messageId } = await client.sendMail({ text: `About ${letter.subject}.\n`, ...letter })
  return messageId
}
