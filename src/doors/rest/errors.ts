// From an error to an answer: a Refusal says what was refused and how to mend it; anything else is our fault and says only where to look.
import { randomUUID } from 'node:crypto'
import { RateLimited, Refusal, Unauthorized } from '../../engine/errors.ts'
import type { Message } from '../../engine/messages/message.ts'
import type { Engine } from '../../engine/ports.ts'
import { ThreadMoved } from '../../engine/send/moved.ts'

interface Circumstances {
  log: Engine['log']
  /** What a request without a good key is told about how to get in; the value of WWW-Authenticate. */
  challenge: string
}

/** The answer to a request that failed. What is not a Refusal is logged under the reference that the answer names. */
export function answerTo(error: unknown, { log, challenge }: Circumstances): Response {
  if (error instanceof Refusal) {
    return refusalResponse(error, error instanceof Unauthorized ? challenge : undefined)
  }
  const reference = randomUUID().slice(0, 8)
  log.error({ reference, error: inFull(error) }, 'request failed')
  return errorResponse(500, {
    code: 'internal_error',
    message: `Something went wrong on our side (reference ${reference}).`,
    fix: `Try again; if it stays, look for ${reference} in the log of the server.`,
  })
}

export interface ErrorBody {
  code: string
  message: string
  fix: string
  details?: readonly { field: string; message: string }[]
  /** What came into a thread that moved, oldest first. */
  newer_messages?: readonly Message[]
}

/** The one shape of every error. */
export function errorResponse(
  status: number,
  error: ErrorBody,
  headers: Record<string, string> = {},
): Response {
  return Response.json({ error }, { status, headers })
}

function refusalResponse(refusal: Refusal, challenge: string | undefined): Response {
  const { status, code, message, fix, details } = refusal
  return errorResponse(
    status,
    {
      code,
      message,
      fix,
      ...(details.length > 0 ? { details } : {}),
      ...(refusal instanceof ThreadMoved ? { newer_messages: refusal.newer } : {}),
    },
    {
      ...(challenge === undefined ? {} : { 'WWW-Authenticate': challenge }),
      ...(refusal instanceof RateLimited
        ? { 'Retry-After': String(refusal.retryAfterSeconds) }
        : {}),
    },
  )
}

const inFull = (error: unknown) =>
  error instanceof Error ? (error.stack ?? error.message) : String(error)
