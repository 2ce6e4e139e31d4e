// A tool: what a model is told about it, and what it does with one call. Tools are tables over the engine's operations.
import type { z } from 'zod'
import type { Caller, Scope } from '../../engine/caller.ts'
import type { Engine } from '../../engine/ports.ts'
import type { Answer } from './answer.ts'
import type { Clause } from './clause.ts'
import type { Fence } from './fence.ts'

export const TOOLSETS = ['mail', 'knowledge', 'drafts', 'admin'] as const
export type Toolset = (typeof TOOLSETS)[number]

/** What a tool has in its hands during one call. */
export interface Call {
  engine: Engine
  caller: Caller
  /** Aborts when the client cancels or the deadline has come: reading stops with what there is. */
  signal: AbortSignal
  fence: Fence
  /** Before anything was read: every mail acknowledged until then is seen by this call. */
  startedAt: Date
}

export interface Hints {
  writes: boolean
  destructive?: boolean
  idempotent?: boolean
  /** Reaches people or machines outside. */
  open?: boolean
}

export interface Tool<Input extends z.ZodObject = z.ZodObject> {
  name: string
  toolset: Toolset
  title: string
  description: readonly Clause[]
  scope: Scope
  hints: Hints
  /** Published as it stands; a slip is put right before it is checked. */
  input: Input
  /** Names that models use by mistake, and the arguments they mean. */
  aliases?: Readonly<Record<string, string>>
  /** Names that have no argument here, and what to do instead. */
  instead?: Readonly<Record<string, string>>
  /** The operation's names of fields that are called otherwise here, for its errors. */
  fields?: Readonly<Record<string, string>>
  /** The argument that a 409 is about where its words name none. */
  conflict?: string
  run(call: Call, input: z.output<Input>): Promise<Answer>
}

/** Gives a tool's `run` the types of its schema. */
export function tool<Input extends z.ZodObject>(definition: Tool<Input>): Tool {
  // The door parses with `input` before it runs, so what reaches `run` has its type.
  return definition as unknown as Tool
}
