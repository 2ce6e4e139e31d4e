// Who an MCP connection on this machine acts for, and what it may see.
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { App } from '../app.ts'
import type { Greeting } from '../doors/cli/run-socket.ts'
import { serveMcpStreams } from '../doors/mcp/streams.ts'
import { callerOf, firstAgent } from '../engine/access/authenticate.ts'
import { Refusal } from '../engine/errors.ts'
import type { Engine } from '../engine/ports.ts'
import { version } from './version.ts'

/** 503: the server did not start. Every call says why. */
export class NotStarted extends Refusal {
  override readonly name = 'NotStarted'
  readonly status = 503

  constructor(message: string, options: { fix?: string; cause?: unknown } = {}) {
    super('not_started', message, options)
  }
}

export interface McpBackground {
  config: { mcpReadOnly: boolean; mcpToolsets: readonly string[] }
  ready: () => Promise<Pick<App, 'engine'>>
}

type McpGreeting = Extract<Greeting, { door: 'mcp' }>

/** A relay's own choice of tools counts for its client; read-only is so when either side says it. */
export function serveGreeted(
  socket: Socket,
  greeting: McpGreeting,
  { config, ready }: McpBackground,
) {
  serveMcp(socket, greeting.key, {
    ready,
    config: {
      mcpReadOnly: config.mcpReadOnly || greeting.read_only === true,
      mcpToolsets: greeting.toolsets ?? config.mcpToolsets,
    },
  })
}

/** Serves MCP on a stream; calls wait until the engine is ready. */
export function serveMcp(
  stream: Duplex,
  key: string | undefined,
  { config, ready }: McpBackground,
) {
  const engine = () => engineOf(ready)
  serveMcpStreams(stream, stream, {
    engine,
    async caller() {
      const parts = await engine()
      const caller = key === undefined ? await firstAgent(parts) : await callerOf(parts, key)
      return { ...caller, agent: true }
    },
    onThisMachine: true,
    toolsets: config.mcpToolsets,
    readOnly: config.mcpReadOnly,
    version: version(),
  })
}

/** A start that failed is told to the model as far as it was meant for people. */
async function engineOf(ready: McpBackground['ready']): Promise<Engine> {
  try {
    return (await ready()).engine
  } catch (error) {
    if (error instanceof Refusal) throw error
    const told = error instanceof Error && error.name === 'StartError'
    throw new NotStarted(
      told ? error.message : 'Postroom did not start; its log on stderr says why.',
      {
        fix: 'Mend what the message names and start the client again.',
        cause: error,
      },
    )
  }
}
