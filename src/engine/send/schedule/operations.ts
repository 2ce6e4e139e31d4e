// Mail that is written for later: moved to another hour, or called off, until it goes.
import { z } from 'zod'
import type { Caller } from '../../caller.ts'
import { Conflict } from '../../errors.ts'
import { resolveInbox } from '../../inboxes/find.ts'
import { findMessage, showMessages } from '../../messages/load.ts'
import { Message, type MessageRow } from '../../messages/message.ts'
import { operation } from '../../operation.ts'
import type { Engine } from '../../ports.ts'
import { refuseReadOnly } from '../read-only.ts'
import { cancel } from './cancel.ts'
import { reschedule } from './reschedule.ts'
import { readSendAt } from './send-at.ts'

const target = { inbox_id: z.string().optional(), message_id: z.string() }

/**
 * Moves a scheduled mail to another hour; its Date follows. Throws Conflict where it is not scheduled any more,
 * or where a person approved it and an agent moves it; ValidationFailed for an hour that has passed.
 */
export const rescheduleMessage = operation({
  name: 'reschedule_message',
  summary: 'Move a scheduled mail to another time.',
  scope: 'email:send',
  reads: false,
  input: z.strictObject({ ...target, send_at: z.string() }),
  output: Message,
  async run(engine, caller, { send_at, ...input }) {
    refuseReadOnly(engine)
    const row = await scheduled(engine, caller, input)
    await refuseApproved(engine, caller, row)
    const at = readSendAt(send_at, engine.clock.now())
    if (!(await reschedule(engine, row, at))) throw await gone(engine, caller, row)
    engine.jobs.wake()
    return shown(engine, caller, row)
  },
})

/** Calls a scheduled mail off for good; once more is no error. Throws Conflict where it has gone or waits for a person. */
export const cancelMessage = operation({
  name: 'cancel_message',
  summary: 'Call a scheduled mail off before it goes.',
  scope: 'email:send',
  reads: false,
  input: z.strictObject(target),
  output: Message,
  async run(engine, caller, input) {
    const row = await mailOf(engine, caller, input)
    if (row.status === 'cancelled') return shown(engine, caller, row)
    requireScheduled(row)
    if (!(await cancel(engine, row))) throw await gone(engine, caller, row)
    return shown(engine, caller, row)
  },
})

interface Target {
  inbox_id?: string | undefined
  message_id: string
}

async function scheduled(engine: Engine, caller: Caller, input: Target): Promise<MessageRow> {
  const row = await mailOf(engine, caller, input)
  requireScheduled(row)
  return row
}

async function mailOf(engine: Engine, caller: Caller, input: Target): Promise<MessageRow> {
  const inbox = input.inbox_id && (await resolveInbox(engine, caller, input.inbox_id))
  return findMessage(engine, caller, input.message_id, inbox ? inbox.id : undefined)
}

function requireScheduled({ id, status }: MessageRow): void {
  if (status === 'scheduled') return
  throw new Conflict(`${id} is not scheduled: it is ${status}.`, {
    fix:
      status === 'pending_review'
        ? 'It waits for a person, who can reject it.'
        : 'Only a mail with status scheduled can be moved or cancelled.',
  })
}

/** A yes was given for this mail at its hour. */
async function refuseApproved({ db }: Engine, caller: Caller, row: MessageRow): Promise<void> {
  if (!caller.agent) return
  const reviews = await db.query('SELECT 1 FROM reviews WHERE org_id = $1 AND message_id = $2', [
    row.org_id,
    row.id,
  ])
  if (reviews.length === 0) return
  throw new Conflict(`A person approved ${row.id} for ${row.send_at?.toISOString()}.`, {
    fix: 'Leave it, or cancel it and send a new mail, which a person then looks at.',
  })
}

/** Another was faster; the words say what it is now. */
async function gone(engine: Engine, caller: Caller, row: MessageRow): Promise<Conflict> {
  const now = await findMessage(engine, caller, row.id)
  return new Conflict(`${row.id} changed meanwhile: it is ${now.status}.`, {
    fix: 'Look at the message, and try again if it is still scheduled.',
  })
}

async function shown(engine: Engine, caller: Caller, { id }: MessageRow): Promise<Message> {
  const row = await findMessage(engine, caller, id)
  const [message] = await showMessages(engine, caller.orgId, [row])
  if (message === undefined) throw new Error('a row has one message')
  return message
}
