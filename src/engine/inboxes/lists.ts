// The allow-list and the block-list of an inbox: whom agents may write to without a person, and whom nobody may.
import { z } from 'zod'
import { parseEntry } from '../addresses.ts'
import type { InboxId, OrgId } from '../ids.ts'
import { operation } from '../operation.ts'
import type { Engine } from '../ports.ts'
import { resolveInbox } from './find.ts'

type ListName = 'allow' | 'block'

const MAX_ENTRIES = 10_000
const inbox = { inbox_id: z.string() }
const Entries = z.object({ entries: z.array(z.string()) })

const reading = (list: ListName) =>
  operation({
    name: `get_${list}_list`,
    summary: `The ${list}-list of an inbox: addresses and domains.`,
    scope: 'inbox:read',
    reads: true,
    input: z.strictObject(inbox),
    output: Entries,
    async run(engine, caller, { inbox_id }) {
      const { id } = await resolveInbox(engine, caller, inbox_id)
      return { entries: await entriesOf(engine, caller.orgId, id, list) }
    },
  })

const writing = (list: ListName) =>
  operation({
    name: `put_${list}_list`,
    summary: `Replace the ${list}-list of an inbox.`,
    scope: 'org:admin',
    reads: false,
    input: z.strictObject({ ...inbox, entries: z.array(z.string()).max(MAX_ENTRIES) }),
    output: Entries,
    async run(engine, caller, { inbox_id, entries }) {
      const { id } = await resolveInbox(engine, caller, inbox_id)
      const wanted = [...new Set(entries.map((entry, i) => parseEntry(entry, `entries.${i}`)))]
      await engine.db.prisma.$transaction([
        engine.db.prisma.list_entries.deleteMany({
          where: { org_id: caller.orgId, inbox_id: id, list },
        }),
        engine.db.prisma.list_entries.createMany({
          data: wanted.map((entry) => ({ org_id: caller.orgId, inbox_id: id, list, entry })),
        }),
      ])
      return { entries: wanted.sort() }
    },
  })

export const getAllowList = reading('allow')
export const putAllowList = writing('allow')
export const getBlockList = reading('block')
export const putBlockList = writing('block')

/** The entries of a list, each an address or a domain in lower case. */
export async function entriesOf(
  { db }: Pick<Engine, 'db'>,
  orgId: OrgId,
  inboxId: InboxId,
  list: ListName,
): Promise<string[]> {
  const rows = await db.query<{ entry: string }>(
    'SELECT entry FROM list_entries WHERE org_id = $1 AND inbox_id = $2 AND list = $3 ORDER BY entry',
    [orgId, inboxId, list],
  )
  return rows.map(({ entry }) => entry)
}
