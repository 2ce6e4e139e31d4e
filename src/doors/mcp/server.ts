// The MCP door: tools over the engine's operations, one server object a connection or a request.
import { McpServer, type StandardSchemaWithJSON } from '@modelcontextprotocol/server'
import { z } from 'zod'
import type { Scope } from '../../engine/caller.ts'
import { answerCall, type CallParts } from './call.ts'
import { spoken } from './clause.ts'
import { instructionsFor, knownNames } from './instructions.ts'
import type { Tool } from './tool.ts'
import { AGENT_SCOPES, offered } from './tools.ts'

const HOUR_MS = 3_600_000
/** What a server offers changes with its settings, that is, with a restart; and with the caller's key. */
const LASTING = { ttlMs: HOUR_MS, cacheScope: 'private' } as const

export interface McpParts extends CallParts {
  toolsets: readonly string[]
  readOnly: boolean
  version: string
  /** What the caller may do, where that is known before the first call; else an agent's scopes. */
  scopes?: readonly Scope[]
}

/** A server over the parts. Greeting it and listing its tools touches neither the engine nor the database. */
export function buildMcpServer(parts: McpParts): McpServer {
  const tools = offered({ ...parts, scopes: parts.scopes ?? AGENT_SCOPES })
  const server = new McpServer(
    { name: 'postroom', title: 'Postroom', version: parts.version },
    {
      instructions: instructionsFor(tools),
      capabilities: { tools: { listChanged: false } },
      cacheHints: { 'tools/list': LASTING, 'server/discover': LASTING },
    },
  )
  const exists = knownNames(tools)
  for (const tool of tools) register(server, parts, tool, spoken(tool.description, exists))
  return server
}

function register(server: McpServer, parts: McpParts, tool: Tool, description: string): void {
  const { writes, destructive = false, idempotent = !writes, open = false } = tool.hints
  server.registerTool(
    tool.name,
    {
      title: tool.title,
      description,
      inputSchema: published(tool.input),
      annotations: {
        readOnlyHint: !writes,
        destructiveHint: destructive,
        idempotentHint: idempotent,
        openWorldHint: open,
      },
    },
    (given, { mcpReq }) => answerCall(parts, tool, given, mcpReq.signal),
  )
}

/**
 * Shows clients the strict schema and lets every object through to the tool, which mends slips first.
 * The SDK would answer a misspelt argument itself, with a message of the schema library.
 */
function published(input: Tool['input']): StandardSchemaWithJSON<unknown, Record<string, unknown>> {
  const { $schema: _, ...schema } = z.toJSONSchema(input, { io: 'input' })
  return {
    '~standard': {
      version: 1,
      vendor: 'postroom',
      validate: (value) => ({ value: value as Record<string, unknown> }),
      jsonSchema: { input: () => schema, output: () => schema },
    },
  }
}
