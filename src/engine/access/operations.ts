// Who the caller is, and the keys of an organization.
import { z } from 'zod'
import { type Caller, SCOPES } from '../caller.ts'
import { NotFound, ValidationFailed } from '../errors.ts'
import type { InboxId } from '../ids.ts'
import { operation } from '../operation.ts'
import { flag, pageInput, pageOf } from '../page.ts'
import type { Engine } from '../ports.ts'
import { checkWish, endKey, makeKey, pageOfKeys, showKey } from './keys.ts'

const scopes = z.array(z.enum(SCOPES))

const Key = z.object({
  id: z.string(),
  prefix: z.string(),
  name: z.string(),
  scopes,
  inbox_ids: z.array(z.string()).nullable(),
  agent: z.boolean(),
  interactive: z.boolean(),
  expires_at: z.string().nullable(),
  created_at: z.string(),
})

export const whoAmI = operation({
  name: 'who_am_i',
  summary: 'Who the caller is: organization, key, scopes and the inboxes it sees.',
  scope: 'any',
  reads: true,
  input: z.strictObject({}),
  output: z.object({
    organization: z.object({ id: z.string(), name: z.string(), slug: z.string() }),
    key: z.object({ id: z.string(), name: z.string(), agent: z.boolean() }).optional(),
    scopes,
    inboxes: z.array(z.object({ id: z.string(), address: z.string() })),
  }),
  async run({ db }, caller) {
    const organization = await db.prisma.organizations.findUniqueOrThrow({
      where: { id: caller.orgId },
      select: { id: true, name: true, slug: true },
    })
    const inboxes = await db.prisma.inboxes.findMany({
      where: {
        org_id: caller.orgId,
        deleted_at: null,
        ...(caller.inboxIds === null ? {} : { id: { in: [...caller.inboxIds] } }),
      },
      select: { id: true, address: true },
      orderBy: { created_at: 'asc' },
    })
    const key = caller.keyId && { id: caller.keyId, name: caller.name, agent: caller.agent }
    return { organization, ...(key ? { key } : {}), scopes: [...caller.scopes], inboxes }
  },
})

export const createKey = operation({
  name: 'create_key',
  summary: 'Make an API key. The key itself is shown once, here.',
  scope: 'org:admin',
  reads: false,
  input: z.strictObject({
    org_id: z.string().optional(),
    name: z.string().trim().min(1).max(200),
    scopes: scopes.min(1),
    inbox_ids: z.array(z.string()).min(1).optional(),
    agent: flag.default(false),
    interactive: flag.default(false),
    expires_at: z.string().optional(),
  }),
  output: Key.extend({ key: z.string() }),
  async run(engine, caller, input) {
    sameOrganization(caller, input.org_id)
    const wish = {
      name: input.name,
      scopes: input.scopes,
      inboxIds: await inboxesOf(engine, caller, input.inbox_ids),
      agent: input.agent,
      interactive: input.interactive,
      expiresAt: futureDate(engine, input.expires_at),
    }
    checkWish(caller, wish)
    const { key, row } = await makeKey(engine, caller.orgId, wish)
    return { ...showKey(row), key }
  },
})

export const listKeys = operation({
  name: 'list_keys',
  summary: 'The API keys of the organization, newest first; only their first characters are shown.',
  scope: 'org:admin',
  reads: true,
  input: z.strictObject({ org_id: z.string().optional(), ...pageInput }),
  output: pageOf(Key),
  run(engine, caller, { org_id, ...page }) {
    sameOrganization(caller, org_id)
    return pageOfKeys(engine, caller.orgId, page)
  },
})

export const revokeKey = operation({
  name: 'revoke_key',
  summary: 'Revoke an API key; it stops working at once.',
  scope: 'org:admin',
  reads: false,
  input: z.strictObject({ org_id: z.string().optional(), key_id: z.string() }),
  output: z.void(),
  async run(engine, caller, { org_id, key_id }) {
    sameOrganization(caller, org_id)
    await endKey(engine, caller.orgId, key_id)
  },
})

/** Another organization's id is as good as no id at all. */
export function sameOrganization(caller: Caller, orgId: string | undefined): void {
  if (orgId !== undefined && orgId !== caller.orgId) throw new NotFound('organization', orgId)
}

/** Each named by its id or its address. */
async function inboxesOf({ db }: Engine, caller: Caller, refs: string[] | undefined) {
  if (refs === undefined) return null
  const addresses = refs.map((ref) => ref.toLowerCase())
  const rows = await db.query<{ id: InboxId; address: string }>(
    `SELECT id, address FROM inboxes
     WHERE org_id = $1 AND (id = ANY($2) OR address = ANY($3)) AND deleted_at IS NULL`,
    [caller.orgId, refs, addresses],
  )
  const known: string[] = rows.flatMap(({ id, address }) => [id, address])
  const missing = refs.filter((ref) => !known.includes(ref) && !known.includes(ref.toLowerCase()))
  if (missing.length > 0) {
    throw new ValidationFailed([
      { field: 'inbox_ids', message: `there is no inbox ${missing.join(', ')}` },
    ])
  }
  return rows.map(({ id }) => id)
}

function futureDate({ clock }: Engine, text: string | undefined): Date | null {
  if (text === undefined) return null
  const date = new Date(text)
  if (Number.isNaN(date.getTime()) || date <= clock.now()) {
    throw new ValidationFailed([
      { field: 'expires_at', message: 'must be an ISO 8601 time in the future' },
    ])
  }
  return date
}
