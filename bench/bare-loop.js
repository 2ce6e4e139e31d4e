// What there is to compare with: nodemailer's pool with as many connections as ours has, in a loop and nothing around it.
// node bench/bare-loop.js HOST PORT COUNT BYTES
import { createTransport } from 'nodemailer'

const MAX_CONNECTIONS = 5
const [host, port, count, bytes] = process.argv.slice(2)
const mailer = createTransport({ pool: true, host, port: Number(port), maxConnections: MAX_CONNECTIONS })
const body = `${'X'.repeat(78)}\r\n`.repeat(Math.ceil(Number(bytes) / 80))

const send = (n) =>
  mailer.sendMail({
    envelope: { from: 'bench@example.com', to: [`r${n}@d${n % 100}.test`] },
    raw: `From: bench@example.com\r\nTo: r${n}@d${n % 100}.test\r\nSubject: Bench ${n}\r\n\r\n${body}`,
  })
// Twice: the first run warms it up as queueing does ours.
for (let run = 0; run < 2; run++) {
  await Promise.all(Array.from({ length: Number(count) }, (_, n) => send(n)))
}
mailer.close()
