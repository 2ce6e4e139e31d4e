/** Somebody's webhook endpoint: a real HTTP server on loopback that remembers what it was sent. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

export interface Post {
  path: string
  headers: Record<string, string | string[] | undefined>
  body: string
  /** Distinguishes connections: the port it came from. */
  from: number
}

export interface Receiver {
  url: string
  port: number
  posts: Post[]
  /** How posts are answered from now on; 200 at first. An answer that never ends is a receiver that hangs. */
  answer(how: (response: ServerResponse, post: Post) => void): void
  /** Resolves when `count` posts have come. */
  received(count: number): Promise<void>
  close(): Promise<void>
}

/** On a free port, or on one that a test has named before. */
export async function startReceiver(wanted = 0): Promise<Receiver> {
  const posts: Post[] = []
  const waiting: (() => void)[] = []
  let how = (response: ServerResponse, _post: Post): void => {
    response.end('ok')
  }
  const take = async (request: IncomingMessage, response: ServerResponse) => {
    const from = request.socket.remotePort ?? 0
    const body = await text(request)
    const post = { path: request.url ?? '', headers: request.headers, body, from }
    posts.push(post)
    for (const tell of waiting.splice(0)) tell()
    how(response, post)
  }
  const server = createServer((request, response) => {
    take(request, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(wanted, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/hook`,
    port,
    posts,
    answer(next) {
      how = next
    },
    async received(count) {
      while (posts.length < count) await new Promise<void>((resolve) => waiting.push(resolve))
    },
    close() {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}
