// One MCP client's line, kept up while the servers behind it come and go.
import type { Duplex, Readable, Writable } from 'node:stream'
import { onLines } from './lines.ts'
import { INITIALIZED, McpClient } from './mcp-client.ts'

export interface McpLine {
  /** Connects the client with a server; one that was there before is left. */
  attach(server: Duplex): void
  /** Resolves when the server that is attached now is gone. */
  lost(): Promise<void>
  /** Resolves when the client has closed its side and has had its answers. */
  ended: Promise<void>
}

/**
 * Lines from the client wait until a server is attached. When one server follows another, calls in
 * flight are answered with what is safe to repeat, and a client of the 2025 era, which greets once in its
 * life, is introduced to the new server with the `initialize` it once sent.
 */
export function mcpLine(
  input: Readable,
  output: Writable,
  complain: (text: string) => void,
): McpLine {
  const client = new McpClient(output, complain)
  let server: Duplex | undefined
  let gone = Promise.resolve()

  const flush = () => {
    if (server === undefined || client.replaying) return
    for (const line of client.unsent()) server.write(line)
  }
  onLines(input, (line) => {
    client.says(line)
    flush()
  })
  const leave = (left: Duplex) => {
    if (server !== left) return
    server = undefined
    client.loses()
  }

  return {
    attach(next) {
      if (server !== undefined) leave(server)
      server = next
      gone = new Promise((resolve) => {
        next.once('close', () => {
          leave(next)
          resolve()
        })
      })
      next.once('end', () => next.destroy())
      next.on('error', () => next.destroy())
      onLines(next, (line) => {
        if (server !== next || client.hears(line) === 'passed') return
        next.write(INITIALIZED)
        flush()
      })
      const introduction = client.introduction()
      if (introduction !== undefined) next.write(introduction)
      flush()
    },
    lost: () => gone,
    ended: new Promise<void>((resolve) => {
      input.once('end', resolve)
      input.once('close', resolve)
    }).then(() => client.settled()),
  }
}
