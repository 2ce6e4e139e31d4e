// What went wrong, in words for a model: everything stands in the text, and nothing that was thrown unforeseen does.
import { randomBytes } from 'node:crypto'
import { Refusal } from '../../engine/errors.ts'
import type { Engine } from '../../engine/ports.ts'
import { ThreadMoved } from '../../engine/send/moved.ts'
import { visible } from './fence.ts'
import { newerMessages } from './newer-messages.ts'

const REF_BYTES = 4
const MESSAGE_LENGTH = 2_000

/** The call took longer than it may. */
export class TookTooLong extends Error {
  override readonly name = 'TookTooLong'
}

interface Told {
  code: string
  message: string
  argument: string
  fix: string
}

export interface Failure {
  tool: string
  writes: boolean
  /** What the tool takes and what was given. */
  arguments: readonly string[]
  /** The operation's names of fields that have another name in the tool. */
  fields?: Readonly<Record<string, string>> | undefined
}

/** The result of a call that failed; what it means for the operator goes to the log under the same `ref`. */
export function refused(error: unknown, failure: Failure, log: Engine['log'] | undefined) {
  const ref = `ref_${randomBytes(REF_BYTES).toString('hex')}`
  const told = tell(error, failure)
  const line = { ref, tool: failure.tool, code: told.code }
  if (error instanceof Refusal) log?.info(line, 'a tool call was refused')
  else log?.error({ ...line, err: error }, 'a tool call failed')
  const lines = Object.entries({ error: told.code, ...told, ref })
    .filter(([name, value]) => name !== 'code' && value !== '')
    .map(([name, value]) => `${name}: ${oneLine(value)}`)
  if (error instanceof ThreadMoved) lines.push(newerMessages(error.newer))
  return { content: [{ type: 'text' as const, text: lines.join('\n') }], isError: true }
}

function tell(error: unknown, failure: Failure): Told {
  const fix = failure.writes ? `${LOOK_FIRST} ${ASK}` : `${REPEAT} ${ASK}`
  if (error instanceof Refusal) return tellRefusal(error, failure)
  if (error instanceof TookTooLong) {
    return { code: 'timeout', message: error.message, argument: '', fix }
  }
  return { code: 'internal_error', message: OUR_FAULT, argument: '', fix }
}

const OUR_FAULT = 'Postroom could not finish this call; the fault is not in the arguments.'
const LOOK_FIRST = 'It may have been done all the same: look before you repeat it.'
const REPEAT = 'Repeat the call.'
const ASK = 'If it fails again, give the ref to the operator, whose log has the cause.'

function tellRefusal(error: Refusal, { fields = {}, arguments: known }: Failure): Told {
  const details = error.details.map(({ field, message }) => {
    const [name = '', ...inner] = field.split('.')
    const own = fields[name] ?? name
    return { own, line: `${[own, ...inner].join('.')}: ${message}` }
  })
  const named = details.map(({ own }) => own).filter((own) => known.includes(own))
  const listed = error.code === 'validation_failed' && details.length > 0
  return {
    code: error.code,
    message: listed ? details.map(({ line }) => line).join('; ') : error.message,
    argument: [...new Set(named)].join(', '),
    fix: error.fix,
  }
}

function oneLine(text: string): string {
  const line = visible(text).text.replace(/\s+/gu, ' ').trim()
  return line.length > MESSAGE_LENGTH ? `${line.slice(0, MESSAGE_LENGTH)}…` : line
}
