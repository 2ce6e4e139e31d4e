/** The MCP door over the real engine, with real clients of both protocol eras over loopback HTTP and over streams. */
import { PassThrough } from 'node:stream'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as OldHttpTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { StdioServerTransport } from '@modelcontextprotocol/server/stdio'
import { mcpOverHttp } from '../../src/doors/mcp/http.ts'
import type { McpParts } from '../../src/doors/mcp/server.ts'
import { serveMcpStreams } from '../../src/doors/mcp/streams.ts'
import { startHttp } from '../../src/doors/rest/listen.ts'
import { createHttpApp } from '../../src/doors/rest/server.ts'
import type { Caller } from '../../src/engine/caller.ts'
import { findAddresses } from '../../src/engine/inboxes/find.ts'
import type { Engine } from '../../src/engine/ports.ts'
import { createReceiver } from '../../src/engine/receive/accept.ts'

/** `old`: the v1 SDK; `legacy` and `modern`: the v2 SDK in the eras of 2025-11-25 and 2026-07-28. */
export const CLIENTS = ['old', 'legacy', 'modern'] as const
export type Kind = (typeof CLIENTS)[number]

export interface Told {
  structuredContent?: unknown
  content: { type: string; text?: string }[]
  isError?: boolean
}

export interface Mcp {
  call(name: string, args?: Record<string, unknown>): Promise<Told>
  tools(): Promise<{ name: string; [field: string]: unknown }[]>
  instructions(): string
  close(): Promise<void>
}

const ME = { name: 'test', version: '1' }
export const OFFER = { toolsets: ['mail', 'knowledge'], readOnly: false, version: '1.2.3' }

export async function serveHttp(engine: Engine, over: Partial<typeof OFFER> = {}) {
  const app = createHttpApp({
    engine,
    allowedHosts: ['127.0.0.1:*'],
    allowedOrigins: ['127.0.0.1:*'],
    ready: () => true,
    mcp: mcpOverHttp({ engine, ...OFFER, ...over }),
  })
  const listener = await startHttp(app, { host: '127.0.0.1', port: 0, log: engine.log })
  return { url: `http://127.0.0.1:${listener.port}/mcp`, close: () => listener.close() }
}

export function overHttp(kind: Kind, url: string, key: string): Promise<Mcp> {
  const options = { requestInit: { headers: { authorization: `Bearer ${key}` } } }
  return kind === 'old'
    ? connectOld(new OldHttpTransport(new URL(url), options))
    : connectNew(kind, new StreamableHTTPClientTransport(new URL(url), options))
}

/** As `postroom mcp` is started: frames over two streams, a ready engine and a known caller behind them. */
export function overStreams(
  kind: Kind,
  engine: Engine,
  caller: Caller,
  parts: Partial<McpParts> = {},
): Promise<Mcp> {
  const ready = { engine: async () => engine, caller: async () => caller, log: engine.log }
  return overPipes(kind, { ...OFFER, ...ready, ...parts })
}

export function overPipes(kind: Kind, parts: McpParts): Promise<Mcp> {
  const [toServer, toClient] = [new PassThrough(), new PassThrough()]
  serveMcpStreams(toServer, toClient, parts)
  // Frames by line in both directions: a client's end of the pipe is the server's, turned round.
  const transport = new StdioServerTransport(toClient, toServer)
  return kind === 'old' ? connectOld(transport) : connectNew(kind, transport)
}

type OldTransport = Parameters<OldClient['connect']>[0]

async function connectOld(transport: unknown): Promise<Mcp> {
  const client = new OldClient(ME)
  await client.connect(transport as OldTransport)
  return {
    call: async (name, args = {}) => (await client.callTool({ name, arguments: args })) as Told,
    tools: async () => (await client.listTools()).tools,
    instructions: () => client.getInstructions() ?? '',
    close: () => client.close(),
  }
}

async function connectNew(
  kind: 'legacy' | 'modern',
  transport: Parameters<Client['connect']>[0],
): Promise<Mcp> {
  const mode = kind === 'modern' ? { pin: '2026-07-28' } : 'legacy'
  const client = new Client(ME, { versionNegotiation: { mode } })
  await client.connect(transport)
  if (client.getProtocolEra() !== kind) throw new Error(`${client.getProtocolEra()} negotiated`)
  return {
    call: async (name, args = {}) => (await client.callTool({ name, arguments: args })) as Told,
    tools: async () => (await client.listTools()).tools,
    instructions: () => client.getInstructions() ?? '',
    close: () => client.close(),
  }
}

/** A mail that came in, taken the way the SMTP door hands it over. */
export function mailbox(engine: Engine) {
  const receiver = createReceiver(engine)
  return async (to: string, headers: string, body = 'Hello there') => {
    const inboxes = await findAddresses(engine, [to])
    const raw = Buffer.from(`${headers.trim()}\n\n${body}\n`.replace(/\r?\n/g, '\r\n'))
    const [received] = await receiver.accept({
      raw,
      envelope: { mail_from: 'ann@example.com', rcpt_to: [to] },
      peer: { ip: '127.0.0.1', helo: 'mail.example.com', tls: false },
      inboxes,
    })
    if (received === undefined) throw new Error(`nobody receives mail for ${to}`)
    return received.message_id
  }
}

/** The text of a result. */
export const textOf = ({ content }: Told) => content.map(({ text = '' }) => text).join('\n')

/** The object of a result. */
export function objectOf<Shape>({ structuredContent, ...told }: Told): Shape {
  if (structuredContent === undefined) throw new Error(`no object: ${JSON.stringify(told)}`)
  return structuredContent as Shape
}
