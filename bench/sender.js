// Sends mails over kept-open connections as fast as the other side answers, like `smtp-source -d`. In the end it prints, as
// JSON, how long the answer to DATA took: { p50, p99, max } in milliseconds.
// node bench/sender.js HOST:PORT RECIPIENT CONNECTIONS BYTES COUNT
import { connect } from 'node:net'

const LINE = `${'X'.repeat(78)}\r\n`

const [address = '', recipient = '', connections = '20', bytes = '4096', count = '1000'] =
  process.argv.slice(2)
const [host, port] = address.split(':')
const body = LINE.repeat(Math.ceil(Number(bytes) / LINE.length)).slice(0, Number(bytes))
let left = Number(count)
let serial = 0
const waits = []

await Promise.all(Array.from({ length: Number(connections) }, session))
waits.sort((a, b) => a - b)
const quantile = (q) => Math.round(waits[Math.min(waits.length - 1, Math.floor(waits.length * q))] ?? 0)
process.stdout.write(`${JSON.stringify({ p50: quantile(0.5), p99: quantile(0.99), max: quantile(1) })}\n`)

async function session() {
  const socket = connect({ host, port: Number(port), noDelay: true })
  const answers = replies(socket)
  const say = async (line, expected) => {
    socket.write(line)
    const answer = (await answers.next()).value ?? 'connection closed'
    if (!answer.startsWith(expected)) throw new Error(`${line.slice(0, 60).trim()}: ${answer}`)
  }
  await answers.next()
  await say('EHLO bench.localhost\r\n', '250')
  while (left > 0) {
    left -= 1
    serial += 1
    const mail = `${header(serial)}\r\n${body}\r\n.\r\n`
    await say('MAIL FROM:<bench@example.com>\r\n', '250')
    await say(`RCPT TO:<${recipient}>\r\n`, '250')
    await say('DATA\r\n', '354')
    const begin = performance.now()
    await say(mail, '250')
    waits.push(performance.now() - begin)
  }
  await say('QUIT\r\n', '221')
  socket.destroy()
}

function header(n) {
  return `From: <bench@example.com>\r\nTo: <${recipient}>\r\nDate: ${new Date().toUTCString()}\r\nMessage-Id: <${process.pid}.${n}.${Date.now()}@bench.localhost>\r\nSubject: Mail ${n}\r\n`
}

async function* replies(socket) {
  let text = ''
  for await (const chunk of socket) {
    text += chunk.toString('latin1')
    for (let end = text.search(/^\d{3} .*\r\n/m); end >= 0; end = text.search(/^\d{3} .*\r\n/m)) {
      const stop = text.indexOf('\r\n', end) + 2
      yield text.slice(end, stop)
      text = text.slice(stop)
    }
  }
}
