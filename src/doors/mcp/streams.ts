// MCP over two byte streams: the process's own stdio, or a connection on the run socket. Both protocol eras.
import type { Readable, Writable } from 'node:stream'
import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio'
import { buildMcpServer, type McpParts } from './server.ts'

export function serveMcpStreams(input: Readable, output: Writable, parts: McpParts): void {
  serveStdio(() => buildMcpServer(parts), { transport: new StdioServerTransport(input, output) })
}
