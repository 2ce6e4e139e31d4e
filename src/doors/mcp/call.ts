// One call of a tool: its arguments, its deadline, its answer or its refusal, its line in the log.
import { type Caller, requireScope } from '../../engine/caller.ts'
import type { Engine } from '../../engine/ports.ts'
import { textOf } from './answer.ts'
import { readArguments } from './arguments.ts'
import { createFence } from './fence.ts'
import { finished } from './receipt.ts'
import { refused, TookTooLong } from './refusal.ts'
import type { Tool } from './tool.ts'
import { withConsent } from './tools.ts'

export interface CallParts {
  /** Waits until the engine takes calls; rejects with a Refusal where it never will. */
  engine: () => Promise<Engine>
  caller: () => Promise<Caller>
  /** For what happens before the engine, which brings its own, is there. */
  log?: Engine['log']
  /** Who calls sits at this machine, where the operator decides about the toolset `admin`. */
  onThisMachine?: boolean
  /** A call ends soon after this, with what it has by then. */
  deadlineMs?: number
}

/** Clients give up after 60 s, some after 30. */
const DEADLINE_MS = 24_000
/** For what the deadline stopped to answer with what it has. */
const GRACE_MS = 1_000

/** Answers a call; never throws. @param cancelled aborts when the client does not want the answer any more */
export async function answerCall(
  parts: CallParts,
  tool: Tool,
  given: Record<string, unknown>,
  cancelled: AbortSignal,
) {
  const { name, fields, conflict, hints, input: schema } = tool
  const started = performance.now()
  const deadline = startDeadline(parts.deadlineMs ?? DEADLINE_MS)
  let log = parts.log
  const engine = async () => {
    const ready = await parts.engine()
    log ??= ready.log
    return ready
  }
  let read = given
  try {
    const input = readArguments(tool, given)
    read = input
    const signal = AbortSignal.any([cancelled, deadline.signal])
    const work = run({ ...parts, engine }, tool, input, signal)
    const done = await Promise.race([work, deadline.passed])
    log?.info({ tool: name, ms: Math.round(performance.now() - started) }, 'tool call')
    return {
      content: [{ type: 'text' as const, text: textOf(done) }],
      structuredContent: { ...done.result },
    }
  } catch (error) {
    const known = [...Object.keys(schema.shape), ...Object.keys(given)]
    const failure = { tool: name, writes: hints.writes, fields, conflict, arguments: known }
    return refused(error, { ...failure, given: read }, log)
  } finally {
    deadline.clear()
  }
}

async function run(
  parts: CallParts,
  tool: Tool,
  input: Record<string, unknown>,
  signal: AbortSignal,
) {
  const engine = await parts.engine()
  // Whoever comes through this door is an agent, whichever key it carries.
  const known = await parts.caller()
  const scopes = withConsent(known.scopes, tool, parts.onThisMachine ?? false)
  const caller: Caller = { ...known, scopes, agent: true }
  requireScope(caller, tool.scope)
  const call = { engine, caller, signal, fence: createFence(), startedAt: engine.clock.now() }
  return finished(call, await tool.run(call, input))
}

/** The signal comes first, so that a call which can stop half-way still answers; then the call is given up. */
function startDeadline(ms: number) {
  const ending = new AbortController()
  const timers: NodeJS.Timeout[] = []
  const passed = new Promise<never>((_, reject) => {
    timers.push(setTimeout(() => ending.abort(), ms))
    timers.push(setTimeout(() => reject(new TookTooLong(LATE)), ms + GRACE_MS))
  })
  return { signal: ending.signal, passed, clear: () => timers.map((timer) => clearTimeout(timer)) }
}

const LATE = 'Not finished in time: the server is starting, or has too much to do.'
