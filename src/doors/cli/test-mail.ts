// postroom test-mail: a real mail through the SMTP door, to see that mail comes in.
import { createTransport } from 'nodemailer'
import { listInboxes } from '../../engine/inboxes/operations.ts'
import { type CommandContext, UsageError } from './command.ts'

const SENDER = 'test-mail@postroom.localhost'

const USE = 'Use: test-mail [ADDRESS]'

export async function runTestMail(context: CommandContext): Promise<number> {
  const [address, ...rest] = context.argv
  if (rest.length > 0) throw new UsageError(USE)
  if (address?.startsWith('-')) throw new UsageError(`There is no option ${address}. ${USE}`)
  const to = address ?? (await firstInbox(context))
  const { host, port } = await context.smtp()
  // Our own door on our own machine: its certificate is for the name that the world knows.
  const mailer = createTransport({ host, port, secure: false, ignoreTLS: true })
  try {
    const { response } = await mailer.sendMail({
      from: { name: 'Postroom', address: SENDER },
      to,
      subject: 'A test mail',
      text: 'This mail came in through the SMTP door.\n\nIf you can read it, mail comes in.\n',
    })
    context.out(`Sent to ${to} by smtp://${host}:${port}: ${response}\n`)
    return 0
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    context.err(`The mail to ${to} was not taken by smtp://${host}:${port}: ${reason}\n`)
    return 1
  } finally {
    mailer.close()
  }
}

/** The oldest inbox, which the first start made. */
async function firstInbox(context: CommandContext): Promise<string> {
  const engine = await context.engine()
  const operator = await context.operator()
  const { pagination } = await listInboxes.run(engine, operator, { limit: 1, offset: 0 })
  const offset = Math.max(0, pagination.total - 1)
  const { data } = await listInboxes.run(engine, operator, { limit: 1, offset })
  const [oldest] = data
  if (oldest !== undefined) return oldest.address
  throw new UsageError('There is no inbox to send to; make one, or name an address.')
}
