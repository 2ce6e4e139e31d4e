// How a command that failed says why.
import { UsageError } from '../doors/cli/command.ts'
import type { Output } from '../doors/cli/dial.ts'
import { Refusal, ValidationFailed } from '../engine/errors.ts'
import { StartError } from '../platform/start-error.ts'

/** What a request is told where nothing better is known; a command line sends none. */
const { fix: FIX_OF_A_REQUEST } = new ValidationFailed([])
const FIX_OF_A_COMMAND = 'Correct what is named and run the command again.'

/** Says what was refused, in words that were meant to be said; the rest is a fault of ours. */
export function tell(error: unknown, { err }: Output): number {
  if (error instanceof Refusal) err(`${refused(error)}\n`)
  else if (error instanceof UsageError || error instanceof StartError) err(`${error.message}\n`)
  else err(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
  return 1
}

function refused({ message, fix }: Refusal): string {
  if (fix !== FIX_OF_A_REQUEST) return `${message} ${fix}`.trimEnd()
  return `${message}. ${FIX_OF_A_COMMAND}`
}
