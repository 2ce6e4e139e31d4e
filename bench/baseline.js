// What there is to compare with: smtp-server that only accepts, or that also parses with simpleParser. Prints its port.
// node bench/baseline.js accept|parse
import { simpleParser } from 'mailparser'
import { SMTPServer } from 'smtp-server'

const parses = process.argv[2] === 'parse'

async function bytesOf(stream) {
  const chunks = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks)
}

const server = new SMTPServer({
  authOptional: true,
  disabledCommands: ['AUTH', 'STARTTLS'],
  disableReverseLookup: true,
  maxAllowedUnauthenticatedCommands: false,
  onData(stream, _session, answer) {
    bytesOf(stream)
      .then((raw) => (parses ? simpleParser(raw) : undefined))
      .then(() => answer(), answer)
  },
})
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${server.server.address().port}\n`)
})
