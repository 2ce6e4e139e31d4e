// What went wrong, in words for a model: everything stands in the text, and nothing that was thrown unforeseen does.
import { randomBytes } from 'node:crypto'
import { Refusal } from '../../engine/errors.ts'
import type { Engine } from '../../engine/ports.ts'
import { visible } from './fence.ts'

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
  return { content: [{ type: 'text' as const, text: lines.join('\n') }], isError: true }
}

function tell(error: unknown, { writes, fields = {} }: Failure): Told {
  if (error instanceof Refusal) {
    const own = (field: string) => field.replace(/^[^.]+/, (name) => fields[name] ?? name)
    const details = error.details.map(({ field, message }) => `${own(field)}: ${message}`)
    const named = error.details.map(({ field }) => own(field).replace(/\..*/, ''))
    return {
      code: error.code,
      message: error.code === 'validation_failed' ? details.join('; ') : error.message,
      argument: [...new Set(named)].join(', '),
      fix: error.fix,
    }
  }
  if (error instanceof TookTooLong) {
    return { code: 'timeout', message: error.message, argument: '', fix: again(writes) }
  }
  return {
    code: 'internal_error',
    message: 'Postroom could not finish this call; the fault is not in the arguments.',
    argument: '',
    fix: again(writes),
  }
}

const again = (writes: boolean) =>
  writes
    ? 'It may have been done all the same: look before you repeat it. If it fails again, give the ref to the operator, whose log has the cause.'
    : 'Repeat the call. If it fails again, give the ref to the operator, whose log has the cause.'

function oneLine(text: string): string {
  const line = visible(text).text.replace(/\s+/gu, ' ').trim()
  return line.length > MESSAGE_LENGTH ? `${line.slice(0, MESSAGE_LENGTH)}…` : line
}
