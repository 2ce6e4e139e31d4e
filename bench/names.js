// A name server on loopback for the product that is measured: the sender's domain with its SPF record and DMARC policy.
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { decode, encode } from 'dns-packet'

const RECORDS = {
  'example.com': 'v=spf1 ip4:127.0.0.1 -all',
  '_dmarc.example.com': 'v=DMARC1; p=reject',
}
const NO_SUCH_NAME = 3

/** Starts it; resolves with its address for `DNS_SERVERS`. It keeps no process alive. */
export async function startNames() {
  const socket = createSocket('udp4')
  socket.on('message', (bytes, { port, address }) => socket.send(answerTo(decode(bytes)), port, address))
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  socket.unref()
  return `127.0.0.1:${socket.address().port}`
}

function answerTo({ id, questions }) {
  const [{ name, type }] = questions
  const text = RECORDS[name.toLowerCase()]
  const answers = text !== undefined && type === 'TXT' ? [{ name, type, ttl: 300, data: text }] : []
  return encode({ type: 'response', id, flags: text === undefined ? NO_SUCH_NAME : 0, questions, answers })
}
