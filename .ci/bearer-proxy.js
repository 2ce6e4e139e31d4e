// bearer-proxy.js URL KEY: a loopback proxy that adds `Authorization: Bearer KEY`, for a client
// that can send no header of its own. Prints its own address of URL. A Host or Origin that names
// the proxy becomes the server's own; any other passes unchanged, so that the server's checks of
// foreign names are still reached.
import { createServer, request } from 'node:http'

const [url, key] = process.argv.slice(2)
const target = new URL(url)

const forwarded = (headers, own) => {
  const out = { ...headers, authorization: `Bearer ${key}` }
  if (headers.host === own) out.host = target.host
  if (headers.origin === `http://${own}`) out.origin = target.origin
  return out
}

const proxy = createServer((incoming, outgoing) => {
  const own = `127.0.0.1:${proxy.address().port}`
  const upstream = request(
    {
      hostname: target.hostname,
      port: target.port,
      path: incoming.url,
      method: incoming.method,
      headers: forwarded(incoming.headers, own),
    },
    (answer) => {
      outgoing.writeHead(answer.statusCode, answer.headers)
      outgoing.flushHeaders()
      answer.pipe(outgoing)
    },
  )
  upstream.on('error', () => outgoing.destroy())
  outgoing.on('close', () => upstream.destroy())
  incoming.pipe(upstream)
})

proxy.listen(0, '127.0.0.1', () => {
  process.stdout.write(`http://127.0.0.1:${proxy.address().port}${target.pathname}\n`)
})
