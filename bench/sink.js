// A server that takes all mail and says when: the other end of what is sent. A child of bench/send.js, told what to do
// by messages: { paused } stops and starts answering, so that mail can queue up; { expect } counts anew and answers
// { times } once so many mails were taken, in ms from the moment when it was told so or began to answer again.
import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'
import { decode, encode } from 'dns-packet'

const GREETING = '220 sink ESMTP\r\n'
const EXTENSIONS = '250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 26214400\r\n'
const HANGING = '127.0.0.3'
const TAKING = '127.0.0.2'

let expected = Number.POSITIVE_INFINITY
let times = []
let begun = 0
let paused = false
const waiting = new Set()

/** Port of the sink, and of a name server that sends dead.test to the host that hangs and all else to the sink. */
const port = await listen(createServer(take), TAKING, 0)
await listen(createServer((socket) => socket.on('error', () => socket.destroy())), HANGING, port)
const dns = createSocket('udp4').on('message', (bytes, { port: to, address }) => dns.send(answerTo(decode(bytes)), to, address))
await new Promise((resolve) => dns.bind(0, '127.0.0.1', resolve))
process.send({ host: TAKING, port, dns: `127.0.0.1:${dns.address().port}` })

process.on('message', (told) => {
  begun = Date.now()
  if (told.expect !== undefined) {
    expected = told.expect
    times = []
  }
  if (told.paused === undefined) return
  paused = told.paused
  if (paused) return
  for (const go of waiting) go()
  waiting.clear()
})

function take(socket) {
  let inside = false
  let rest = ''
  socket.setNoDelay(true)
  socket.write(GREETING)
  socket.on('error', () => socket.destroy())
  socket.on('data', (bytes) => {
    rest += bytes.toString('latin1')
    work()
  })
  function work() {
    if (paused) return waiting.add(work)
    let out = ''
    for (;;) {
      const end = rest.indexOf(inside ? '\r\n.\r\n' : '\r\n')
      if (end < 0) break
      const line = rest.slice(0, end)
      rest = rest.slice(end + (inside ? 5 : 2))
      if (inside) {
        inside = false
        note()
        out += '250 2.0.0 Ok\r\n'
      } else if (line.startsWith('DATA')) {
        inside = true
        out += '354 Go ahead\r\n'
      } else if (line.startsWith('RCPT')) {
        out += '250 2.1.5 Ok\r\n'
      } else out += line.startsWith('EHLO') ? EXTENSIONS : '250 2.0.0 Ok\r\n'
    }
    if (out !== '') socket.write(out)
  }
}

function note() {
  times.push(Date.now() - begun)
  if (times.length === expected) process.send({ times })
}

function answerTo(query) {
  const [{ name, type }] = query.questions
  const answers = []
  if (type === 'MX') answers.push({ type, name, data: { exchange: `mx.${name}`, preference: 10 } })
  if (type === 'A') answers.push({ type, name, data: name.endsWith('dead.test') ? HANGING : TAKING })
  return encode({ type: 'response', id: query.id, questions: query.questions, answers })
}

function listen(server, host, at) {
  return new Promise((resolve) => server.listen(at, host, () => resolve(server.address().port)))
}
