// How a command that failed says why.
import { UsageError } from '../doors/cli/command.ts'
import type { Output } from '../doors/cli/dial.ts'
import { Refusal } from '../engine/errors.ts'
import { StartError } from '../platform/start-error.ts'

/** Says what was refused, in words that were meant to be said; the rest is a fault of ours. */
export function tell(error: unknown, { err }: Output): number {
  if (error instanceof Refusal) err(`${error.message} ${error.fix}\n`)
  else if (error instanceof UsageError || error instanceof StartError) err(`${error.message}\n`)
  else err(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
  return 1
}
