// MCP over streamable HTTP: stateless, both protocol eras, one server object a request.
import { createMcpHandler } from '@modelcontextprotocol/server'
import type { Caller } from '../../engine/caller.ts'
import type { Engine } from '../../engine/ports.ts'
import { buildMcpServer, type McpParts } from './server.ts'

export interface McpHttpParts extends Pick<McpParts, 'toolsets' | 'readOnly' | 'version'> {
  engine: Engine
}

/** Answers one request of a caller whose key was checked; whoever mounts it guards Host, Origin and the size of bodies. */
export type McpHttpHandler = (request: Request, caller: Caller) => Promise<Response>

export function mcpOverHttp({ engine, ...parts }: McpHttpParts): McpHttpHandler {
  const { log } = engine
  const callers = new WeakMap<object, Caller>()
  const handler = createMcpHandler(
    ({ authInfo }) => {
      const caller = authInfo && callers.get(authInfo)
      if (caller === undefined) throw new Error('a request reached the MCP door without its caller')
      return buildMcpServer({
        ...parts,
        log,
        scopes: caller.scopes,
        engine: () => Promise.resolve(engine),
        caller: () => Promise.resolve(caller),
      })
    },
    { onerror: (error) => log.debug({ error: error.message }, 'mcp request refused') },
  )
  return (request, caller) => {
    const authInfo = {
      token: '',
      clientId: caller.keyId ?? caller.name,
      scopes: [...caller.scopes],
    }
    callers.set(authInfo, caller)
    return handler.fetch(request, { authInfo })
  }
}
