// Making, reading, changing and deleting inboxes.
import { z } from 'zod'
import { type Caller, hasScope, requireScope } from '../caller.ts'
import { domainForInbox } from '../domains/usable.ts'
import { Forbidden, NotFound, Unprocessable } from '../errors.ts'
import type { InboxId } from '../ids.ts'
import { operation } from '../operation.ts'
import { flag, makePage, pageInput, pageOf, placeOf } from '../page.ts'
import type { Engine } from '../ports.ts'
import { forgetRecent } from '../recent-addresses.ts'
import { makeInbox } from './create.ts'
import { deleteInboxRow } from './erase.ts'
import { resolveInbox } from './find.ts'
import { type CountedInbox, Inbox, type InboxRow, SEND_POLICIES, showInbox } from './inbox.ts'

const COUNTED = `i.*,
  (SELECT count(*) FROM threads t WHERE t.org_id = i.org_id AND t.inbox_id = i.id) AS thread_count,
  (SELECT count(*) FROM threads t WHERE t.org_id = i.org_id AND t.inbox_id = i.id AND NOT t.is_read) AS unread_thread_count`

export const createInbox = operation({
  name: 'create_inbox',
  summary: 'Make an inbox. The same client_id again returns the inbox it made.',
  scope: 'inbox:write',
  reads: false,
  input: z.strictObject({
    username: z.string(),
    name: z.string().max(200).optional(),
    webhook_url: z.string().max(2000).optional(),
    domain: z.string().optional(),
    client_id: z.string().min(1).max(200).optional(),
  }),
  output: Inbox.extend({ created: z.boolean() }),
  async run(engine, caller, input) {
    if (caller.inboxIds !== null) throw new Forbidden('This key is limited to some inboxes.')
    const url = await webhookUrl(engine, caller, input.webhook_url)
    const known = input.client_id && (await byClientId(engine, caller, input.client_id))
    if (known) return { ...showInbox(known), created: false }
    const wish = {
      username: input.username,
      domain: await domainForInbox(engine, caller.orgId, input.domain),
      displayName: input.name ?? null,
      webhookUrl: url,
      clientId: input.client_id ?? null,
    }
    const row = await makeInbox(engine, caller.orgId, wish)
    const shown = showInbox({ ...row, thread_count: 0, unread_thread_count: 0 })
    const secret = caller.agent ? {} : { webhook_secret: row.webhook_secret }
    return { ...shown, ...secret, created: true }
  },
})

export const listInboxes = operation({
  name: 'list_inboxes',
  summary: 'The inboxes the caller sees, newest first, with their counts.',
  scope: 'inbox:read',
  reads: true,
  input: z.strictObject(pageInput),
  output: pageOf(Inbox),
  async run({ db }, caller, page) {
    const after = placeOf(page.cursor, 'inb')
    const rows = await db.query<CountedInbox>(
      `SELECT ${COUNTED} FROM inboxes i
       WHERE i.org_id = $1 AND i.deleted_at IS NULL AND ($2::text[] IS NULL OR i.id = ANY($2))
         AND ($3::timestamptz IS NULL OR (i.created_at, i.id) < ($3, $4))
       ORDER BY i.created_at DESC, i.id DESC LIMIT $5 OFFSET $6`,
      [
        caller.orgId,
        caller.inboxIds,
        after?.at ?? null,
        after?.id ?? null,
        page.limit + 1,
        page.offset,
      ],
    )
    const [count] = await db.query<{ total: number }>(
      `SELECT count(*) AS total FROM inboxes
       WHERE org_id = $1 AND deleted_at IS NULL AND ($2::text[] IS NULL OR id = ANY($2))`,
      [caller.orgId, caller.inboxIds],
    )
    return makePage(
      rows,
      page,
      count?.total ?? 0,
      (r) => ({ at: r.created_at, id: r.id }),
      showInbox,
    )
  },
})

export const getInbox = operation({
  name: 'get_inbox',
  summary: 'One inbox, by id or address.',
  scope: 'inbox:read',
  reads: true,
  input: z.strictObject({ inbox_id: z.string() }),
  output: Inbox,
  async run(engine, caller, { inbox_id }) {
    return showInbox(await counted(engine, await resolveInbox(engine, caller, inbox_id)))
  },
})

export const updateInbox = operation({
  name: 'update_inbox',
  summary:
    'Change an inbox. What binds an agent (agent_prompt, webhook_url, send_policy) needs org:admin.',
  scope: 'inbox:write',
  reads: false,
  input: z.strictObject({
    inbox_id: z.string(),
    display_name: z.string().max(200).nullable().optional(),
    is_active: flag.optional(),
    agent_prompt: z.string().max(20_000).nullable().optional(),
    webhook_url: z.string().max(2000).nullable().optional(),
    send_policy: z.enum(SEND_POLICIES).optional(),
  }),
  output: Inbox,
  async run(engine, caller, { inbox_id, ...changes }) {
    const inbox = await resolveInbox(engine, caller, inbox_id)
    const binding = ['agent_prompt', 'webhook_url', 'send_policy'] as const
    if (binding.some((field) => changes[field] !== undefined)) requireScope(caller, 'org:admin')
    const url = changes.webhook_url && (await webhookUrl(engine, caller, changes.webhook_url))
    const first = url && inbox.webhook_url === null
    await engine.db.prisma.inboxes.update({
      where: { org_id_id: { org_id: caller.orgId, id: inbox.id } },
      data: {
        ...given({ ...changes, webhook_url: url === '' ? null : url }),
        ...(changes.webhook_url === undefined ? {} : { webhook_disabled_at: null }),
      },
    })
    forgetRecent(engine)
    const now = await resolveInbox(engine, caller, inbox.id)
    const shown = showInbox(await counted(engine, now))
    return first ? { ...shown, webhook_secret: now.webhook_secret } : shown
  },
})

export const deleteInbox = operation({
  name: 'delete_inbox',
  summary:
    'Delete an inbox with all its mail and documents, for good. Its address is never given out again.',
  scope: 'org:admin',
  reads: false,
  input: z.strictObject({ inbox_id: z.string() }),
  output: z.void(),
  async run(engine, caller, { inbox_id }) {
    const { id } = await resolveInbox(engine, caller, inbox_id)
    await deleteInboxRow(engine, caller.orgId, id)
    engine.jobs.wake()
  },
})

/** Only fields that were given; undefined would otherwise be written under exactOptionalPropertyTypes. */
function given<T extends Record<string, unknown>>(fields: T) {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>
  }
}

async function webhookUrl({ webhooks }: Engine, caller: Caller, url: string | undefined) {
  if (url === undefined || url === '') return null
  if (caller.agent || !hasScope(caller, 'org:admin')) {
    throw new Forbidden(
      'A webhook is a way out for all mail of an inbox: only a key with org:admin sets one.',
      {
        fix: 'Ask a person to set webhook_url, or leave it out.',
      },
    )
  }
  const answer = await webhooks.allowed(url)
  if (answer.ok) return url
  throw new Unprocessable('webhook_url_not_allowed', `webhook_url: ${answer.reason}`, {
    fix: 'Give an http or https address that may be reached; WEBHOOK_ALLOW_PRIVATE decides about private and loopback ones.',
    details: [{ field: 'webhook_url', message: answer.reason }],
  })
}

async function byClientId(engine: Engine, caller: Caller, clientId: string) {
  const [row] = await engine.db.query<CountedInbox>(
    `SELECT ${COUNTED} FROM inboxes i WHERE i.org_id = $1 AND i.client_id = $2 AND i.deleted_at IS NULL`,
    [caller.orgId, clientId],
  )
  return row
}

async function counted({ db }: Engine, { org_id, id }: Pick<InboxRow, 'org_id'> & { id: InboxId }) {
  const [row] = await db.query<CountedInbox>(
    `SELECT ${COUNTED} FROM inboxes i WHERE i.org_id = $1 AND i.id = $2`,
    [org_id, id],
  )
  if (row === undefined) throw new NotFound('inbox', id)
  return row
}
