// Drafts: mail that is written and not sent, by whoever; sending one is sending, with all that is checked then.
import { z } from 'zod'
import { newId } from '../../../platform/ids.ts'
import { type Caller, requireScope } from '../../caller.ts'
import { Conflict, NotFound } from '../../errors.ts'
import { scopeOf } from '../../inboxes/find.ts'
import { findMessage, findThread } from '../../messages/load.ts'
import { operation } from '../../operation.ts'
import { flag, makePage, pageInput, pageOf } from '../../page.ts'
import type { Engine } from '../../ports.ts'
import { type Place, placeOf as placeOfMail } from '../answered.ts'
import { cancelMessage, rescheduleMessage } from '../schedule/operations.ts'
import { Sent } from '../sent.ts'
import { judge, submit } from '../submit.ts'
import type { MessageInput } from '../written.ts'
import { assess } from './assess.ts'
import {
  Draft,
  type DraftKind,
  type DraftMail,
  type DraftRow,
  JudgedDraft,
  showDraft,
} from './draft.ts'
import { findDraft, shownById, waiting } from './load.ts'
import { insertDraft, removeDraft, replaceDraft } from './store.ts'
import { changed, draftChanges, draftInput, withUploads } from './written.ts'

/** How often a change is made again after another one came first. */
const MAX_DECISIONS = 4
const target = { inbox_id: z.string().optional(), draft_id: z.string() }

/**
 * Keeps a mail to be sent later, and says what would become of it now. It may be unfinished: what is missing is a
 * reason in `would`, what is wrong is refused. A reply answers the message that was the newest when it was drafted.
 * Throws ValidationFailed, NotFound, TooLarge, Unprocessable (`automatic_mail`).
 */
export const createDraft = operation({
  name: 'create_draft',
  summary: 'Prepare a mail, reply or forward without sending it.',
  scope: 'email:write',
  reads: false,
  input: draftInput,
  output: JudgedDraft,
  async run(engine, caller, input) {
    const place = await placeOfMail(engine, caller, input)
    const { inbox, answered } = place
    const { inbox_id: _, thread_id: __, ...mail } = changed({}, input) as MessageInput
    const reply = answered && { reply_to_message_id: answered.id }
    const draft = { ...mail, ...reply }
    const strict = Object.keys(mail)
    const { would, shown } = await assess(engine, caller, inbox.id, draft, strict)
    const now = engine.clock.now()
    const row: DraftRow = {
      org_id: inbox.org_id,
      id: newId('drf', now),
      inbox_id: inbox.id,
      thread_id: answered?.thread_id ?? null,
      kind: kindOf(place),
      written: await withUploads(engine, caller, inbox.id, draft),
      shown,
      by_agent: caller.agent,
      sent_message_id: null,
      created_at: now,
      updated_at: now,
    }
    if (!(await insertDraft(engine, row))) throw new NotFound('inbox', inbox.id)
    return { ...showDraft(row, inbox), would }
  },
})

/** Throws what sending such a mail would throw of its input: for callers that draft whole mails only. */
export async function requireWhole(
  engine: Engine,
  caller: Caller,
  { send_at: _, ...mail }: z.output<typeof draftInput>,
): Promise<void> {
  await judge(engine, caller, { mail })
}

export const getDraft = operation({
  name: 'get_draft',
  summary: 'A draft, and what would become of it if it were sent now.',
  scope: 'email:read',
  reads: true,
  input: z.strictObject(target),
  output: JudgedDraft,
  async run(engine, caller, input) {
    const { draft, inbox } = await findDraft(engine, caller, input)
    const { would } = await assess(engine, caller, inbox.id, draft.written, [])
    return { ...showDraft(draft, inbox), would }
  },
})

export const listDrafts = operation({
  name: 'list_drafts',
  summary:
    'Drafts that were not sent, newest first; with_scheduled: also mail that waits for its hour.',
  scope: 'email:read',
  reads: true,
  input: z.strictObject({
    ...pageInput,
    inbox_id: z.string().optional(),
    thread_id: z.string().optional(),
    with_scheduled: flag.default(false),
  }),
  output: pageOf(Draft),
  async run(engine, caller, { inbox_id, thread_id, with_scheduled, ...page }) {
    const inboxIds = await scopeOf(engine, caller, inbox_id)
    const thread = thread_id && (await findThread(engine, caller, thread_id))
    const filter = {
      inboxIds,
      threadId: thread ? thread.id : undefined,
      scheduled: with_scheduled,
    }
    const { entries, total } = await waiting(engine, caller, filter, page)
    const ids = entries.slice(0, page.limit).map(({ id }) => id)
    const drafts = await shownById(engine, caller, ids)
    // What went out between the two looks is no draft any more.
    const there = entries.filter(({ id }, n) => n >= page.limit || drafts.has(id))
    return makePage(
      there,
      page,
      total,
      (entry) => entry,
      ({ id }) => drafts.get(id) as Draft,
    )
  },
})

/**
 * Changes the fields given; an empty text or list empties one. Of a mail that waits for its hour (a `msg_` id)
 * `send_at` alone can change. Throws Conflict where it was sent, ValidationFailed, NotFound, TooLarge.
 */
export const updateDraft = operation({
  name: 'update_draft',
  summary: 'Change the fields of a draft that are given; an empty text or list empties one.',
  scope: 'email:write',
  reads: false,
  input: draftChanges.extend(target),
  output: JudgedDraft,
  async run(engine, caller, { inbox_id, draft_id, ...changes }) {
    if (isMail(draft_id)) {
      return rescheduled(engine, caller, { inbox_id, draft_id }, changes)
    }
    for (let decisions = 0; decisions < MAX_DECISIONS; decisions++) {
      const { draft, inbox } = await findDraft(engine, caller, { inbox_id, draft_id })
      requireUnsent(draft)
      const mail = changed(draft.written, changes)
      const strict = fieldsOf(mail, changes)
      const { would, shown } = await assess(engine, caller, inbox.id, mail, strict)
      const written = await withUploads(engine, caller, inbox.id, mail)
      const row = await replaceDraft(engine, draft, { written, shown }, engine.clock.now())
      if (row !== undefined) return { ...showDraft({ ...draft, ...row }, inbox), would }
    }
    throw new Conflict(`The draft ${draft_id} kept changing.`, { fix: 'Try again.' })
  },
})

/** Throws a draft away, or calls a mail off that waits for its hour. Throws Conflict where the mail has gone, NotFound. */
export const deleteDraft = operation({
  name: 'delete_draft',
  summary: 'Throw a draft or a scheduled mail away.',
  scope: 'email:write',
  reads: false,
  input: z.strictObject(target),
  output: z.object({ id: z.string(), deleted: z.literal(true) }),
  async run(engine, caller, { inbox_id, draft_id }) {
    if (isMail(draft_id)) await cancelled(engine, caller, { inbox_id, message_id: draft_id })
    else {
      const { draft } = await findDraft(engine, caller, { inbox_id, draft_id })
      const { sent_message_id: sent } = draft
      if (sent !== null) await calledOff(engine, caller, draft, sent)
      else if (!(await removeDraft(engine, draft))) throw new NotFound('draft', draft_id)
    }
    return { id: draft_id, deleted: true as const }
  },
})

/**
 * Sends a draft as it stands, once: a repeat is answered with the mail that it became. The refusals are those of
 * `sendMessage`, and Conflict where the draft was changed meanwhile.
 */
export const sendDraft = operation({
  name: 'send_draft',
  summary: 'Send a draft as it stands. It goes out once.',
  scope: 'email:send',
  reads: false,
  input: z.strictObject({
    ...target,
    if_last_message_id: z.string().optional(),
    dry_run: flag.optional(),
  }),
  output: Sent,
  async run(engine, caller, { if_last_message_id, dry_run, ...input }) {
    const { draft, inbox } = await findDraft(engine, caller, input)
    const { send_at, ...mail } = draft.written
    const { org_id, id, updated_at } = draft
    const submission = {
      mail: { ...mail, inbox_id: inbox.id },
      sendAt: send_at,
      ifLastMessageId: if_last_message_id,
    }
    if (dry_run) return judge(engine, caller, submission)
    return submit(engine, caller, { ...submission, draft: { org_id, id, updated_at } })
  },
})

const isMail = (id: string) => id.startsWith('msg_')

/** What must be right: everything that is there, save an hour that passed since it was written. */
const fieldsOf = (mail: DraftMail, changes: Partial<DraftMail>) =>
  Object.keys(mail).filter((name) => name !== 'send_at' || changes.send_at !== undefined)

function kindOf({ answered, forwarded }: Place): DraftKind {
  if (answered !== undefined) return 'reply'
  return forwarded === undefined ? 'new' : 'forward'
}

function requireUnsent({ id, sent_message_id: sent }: DraftRow): void {
  if (sent === null) return
  throw new Conflict(`The draft ${id} was sent: it is the mail ${sent}.`, {
    fix: 'Look at that mail; to write another one, make a new draft.',
  })
}

/** What was sent and has not gone is called off; what has gone stays a mail. */
async function calledOff(engine: Engine, caller: Caller, draft: DraftRow, sent: string) {
  const { status } = await findMessage(engine, caller, sent)
  if (status !== 'scheduled' && status !== 'cancelled') requireUnsent(draft)
  await cancelled(engine, caller, { message_id: sent })
}

/** Stopping mail is for those who may send it. */
async function cancelled(
  engine: Engine,
  caller: Caller,
  mail: { inbox_id?: string | undefined; message_id: string },
): Promise<void> {
  requireScope(caller, 'email:send')
  await cancelMessage.run(engine, caller, mail)
}

async function rescheduled(
  engine: Engine,
  caller: Caller,
  { inbox_id, draft_id }: { inbox_id?: string | undefined; draft_id: string },
  { send_at, ...others }: Partial<DraftMail>,
): Promise<JudgedDraft> {
  requireScope(caller, 'email:send')
  if (!send_at || Object.keys(others).length > 0) {
    throw new Conflict(`${draft_id} is a mail that waits for its hour: send_at alone can change.`, {
      fix: 'Give send_at alone, or throw it away (delete_draft) and write it anew.',
    })
  }
  await rescheduleMessage.run(engine, caller, { inbox_id, message_id: draft_id, send_at })
  const shown = (await shownById(engine, caller, [draft_id])).get(draft_id)
  if (shown === undefined) throw new NotFound('message', draft_id)
  return { ...shown, would: { verdict: 'allow', reasons: [] } }
}
