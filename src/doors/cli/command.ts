// What a command of the command line is, and what it is given.
import type { Caller } from '../../engine/caller.ts'
import type { Engine } from '../../engine/ports.ts'
import type { Receiver } from '../../engine/receive/accept.ts'
import type { Output, Typed } from './dial.ts'

export interface CommandContext extends Output, Typed {
  argv: readonly string[]
  engine(): Promise<Engine>
  /** The way mail comes in. */
  receiver(): Promise<Receiver>
  /** Whoever typed the command has gone. */
  signal: AbortSignal
  /** A person who may do everything in the first organization. */
  operator(): Promise<Caller>
  /** Where the SMTP door listens; it is opened where no server is running. */
  smtp(): Promise<{ host: string; port: number }>
  migrations: {
    /** Rejects with what is wrong where the database is not exactly at this version. */
    check(): Promise<void>
    apply(): Promise<void>
  }
}

export interface Command {
  name: string
  /** One line of the help a form: what to type, and what it does. */
  usage: readonly (readonly [form: string, does: string])[]
  /** What runs it: it resolves with the exit code; a Refusal or a UsageError is shown by whoever calls. */
  load(): Promise<(context: CommandContext) => Promise<number>>
}

/** The command line cannot be understood; the message says what can. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
