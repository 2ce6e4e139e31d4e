// The MCP door: tools over the engine's operations, one server object a connection or a request.
import {
  McpServer,
  type ServerContext,
  type StandardSchemaWithJSON,
} from '@modelcontextprotocol/server'
import { z } from 'zod'
import { type Caller, requireScope, type Scope } from '../../engine/caller.ts'
import type { Engine } from '../../engine/ports.ts'
import { textOf } from './answer.ts'
import { readArguments } from './arguments.ts'
import { spoken } from './clause.ts'
import { createFence } from './fence.ts'
import { instructionsFor, knownNames } from './instructions.ts'
import { finished } from './receipt.ts'
import { refused, TookTooLong } from './refusal.ts'
import type { Tool } from './tool.ts'
import { AGENT_SCOPES, offered } from './tools.ts'

export interface McpParts {
  /** Waits until the engine takes calls; rejects with a Refusal where it never will. */
  engine: () => Promise<Engine>
  caller: () => Promise<Caller>
  toolsets: readonly string[]
  readOnly: boolean
  version: string
  /** What the caller may do, where that is known before the first call; else an agent's scopes. */
  scopes?: readonly Scope[]
  /** Until the engine, which brings its own, is there. */
  log?: Engine['log']
  /** A call ends by then with what it has. */
  deadlineMs?: number
}

/** Clients give up after 60 s, some after 30. */
const DEADLINE_MS = 24_000
/** For what the deadline stopped to answer with what it has. */
const GRACE_MS = 1_000
const HOUR_MS = 3_600_000
/** What a server offers changes with its settings, that is, with a restart; and with the caller's key. */
const LASTING = { ttlMs: HOUR_MS, cacheScope: 'private' } as const

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
    (given, context) => answer(parts, tool, given, context),
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

async function answer(
  parts: McpParts,
  tool: Tool,
  given: Record<string, unknown>,
  context: ServerContext,
) {
  const { name, fields, hints } = tool
  const deadline = startDeadline(parts.deadlineMs ?? DEADLINE_MS)
  const signal = AbortSignal.any([context.mcpReq.signal, deadline.signal])
  try {
    const input = readArguments(tool, given)
    const done = await Promise.race([run(parts, tool, input, signal), deadline.passed])
    return {
      content: [{ type: 'text' as const, text: textOf(done) }],
      structuredContent: { ...done.result },
    }
  } catch (error) {
    const known = [...Object.keys(tool.input.shape), ...Object.keys(given)]
    const failure = { tool: name, writes: hints.writes, fields, arguments: known }
    return refused(error, failure, parts.log)
  } finally {
    deadline.clear()
  }
}

async function run(
  { engine, caller }: McpParts,
  tool: Tool,
  input: Record<string, unknown>,
  signal: AbortSignal,
) {
  const parts = await engine()
  // Whoever comes through this door is an agent, whichever key it carries.
  const who: Caller = { ...(await caller()), agent: true }
  requireScope(who, tool.scope)
  const fence = createFence()
  const call = { engine: parts, caller: who, signal, fence, startedAt: parts.clock.now() }
  return finished(call, await tool.run(call, input))
}

/** The signal comes first, so that a call which can stop half-way still answers; then the call is given up. */
function startDeadline(ms: number) {
  const ending = new AbortController()
  const timers: NodeJS.Timeout[] = []
  const passed = new Promise<never>((_, reject) => {
    timers.push(setTimeout(() => ending.abort(), ms))
    timers.push(setTimeout(() => reject(new TookTooLong('Not finished in time.')), ms + GRACE_MS))
  })
  return { signal: ending.signal, passed, clear: () => timers.map(clearTimeout) }
}
