// The organization and the inboxes of kept mail, made again where the database lacks them.
import { idSuffix, timeOfId } from '../../../platform/ids.ts'
import type { InboxId, OrgId } from '../../ids.ts'
import { newWebhookSecret } from '../../inboxes/webhook-secret.ts'
import type { JournalEntry } from '../../journal.ts'
import type { Engine } from '../../ports.ts'

type Db = Pick<Engine, 'db'>

const FIRST = { name: 'First organization', slug: 'first' }

/**
 * Makes the organization with its old id. Where the database is a new one, in which the first start has made an
 * organization that nobody has used, this one takes its place: the keys that were shown open the old one from now on.
 * @returns whether it did
 */
export async function restoreOrganization(
  { db }: Db,
  orgId: OrgId,
  journal: readonly JournalEntry[],
  kept: readonly OrgId[],
): Promise<boolean> {
  const there = await db.query('SELECT 1 FROM organizations WHERE id = $1', [orgId])
  if (there.length > 0) return false
  const unused = await unusedOrganization({ db }, kept)
  const known = journal.findLast((entry) => entry.kind === 'organization')
  return db.prisma.$transaction(async (tx) => {
    if (unused !== undefined) {
      await tx.$executeRaw`DELETE FROM directory_address WHERE org_id = ${unused}`
      await tx.$executeRaw`DELETE FROM inboxes WHERE org_id = ${unused}`
      // Keys are sealed for their organization; those of the mail domain are made anew.
      await tx.$executeRaw`DELETE FROM directory_domain WHERE org_id = ${unused}`
      await tx.$executeRaw`DELETE FROM domain_keys WHERE org_id = ${unused}`
      await tx.$executeRaw`DELETE FROM domains WHERE org_id = ${unused}`
      await tx.$executeRaw`DELETE FROM organizations WHERE id = ${unused}`
      await tx.$executeRaw`UPDATE api_keys SET org_id = ${orgId} WHERE org_id = ${unused}`
      await tx.$executeRaw`UPDATE directory_key SET org_id = ${orgId} WHERE org_id = ${unused}`
    }
    const [taken] = await tx.$queryRaw<
      object[]
    >`SELECT 1 FROM organizations WHERE slug = ${known?.slug ?? FIRST.slug}`
    const slug = taken === undefined ? (known?.slug ?? FIRST.slug) : idSuffix(orgId)
    const name = known?.name ?? (slug === FIRST.slug ? FIRST.name : `Organization ${slug}`)
    const created = known?.created_at ?? timeOfId(orgId)
    await tx.$executeRaw`INSERT INTO organizations (id, name, slug, created_at) VALUES (${orgId}, ${name}, ${slug}, ${created})`
    if (known !== undefined) {
      await tx.$executeRaw`UPDATE organizations SET reply_secret = ${known.reply_secret}, dmarc_policy = ${known.dmarc_policy} WHERE id = ${orgId}`
    }
    return unused !== undefined
  })
}

/** The only organization, if it holds nothing, neither here nor in the raw store. */
async function unusedOrganization({ db }: Db, kept: readonly OrgId[]): Promise<OrgId | undefined> {
  const [only, another] = await db.query<{ id: OrgId; used: boolean }>(
    `SELECT id, EXISTS (SELECT 1 FROM messages m WHERE m.org_id = o.id)
       OR EXISTS (SELECT 1 FROM documents d WHERE d.org_id = o.id) AS used
     FROM organizations o`,
  )
  if (only === undefined || another !== undefined || only.used) return undefined
  return kept.includes(only.id) ? undefined : only.id
}

/** Addresses of deleted inboxes are nobody's for good. */
export async function retireAddresses(
  { db }: Db,
  orgId: OrgId,
  journal: readonly JournalEntry[],
): Promise<Set<string>> {
  const deleted = journal.filter((entry) => entry.kind === 'inbox_deleted')
  for (const { address, inbox_id, at } of deleted) {
    if (address === undefined) continue
    await db.query(
      `INSERT INTO directory_address (address, org_id, inbox_id, retired_at) VALUES ($1, $2, $3, $4)
       ON CONFLICT (address) DO NOTHING`,
      [address, orgId, inbox_id, at],
    )
  }
  return new Set(deleted.map(({ inbox_id }) => inbox_id))
}

export type InboxState = 'there' | 'made' | 'made_without_address' | 'deleted'

/** The inbox of a sidecar; where its address is another's by now, it keeps its mail and gets no new. */
export async function restoreInbox(
  { db }: Db,
  orgId: OrgId,
  { id, address }: { id: InboxId; address: string },
): Promise<InboxState> {
  const [found] = await db.query<{ deleted: boolean }>(
    'SELECT deleted_at IS NOT NULL AS deleted FROM inboxes WHERE org_id = $1 AND id = $2',
    [orgId, id],
  )
  if (found !== undefined) return found.deleted ? 'deleted' : 'there'
  const at = address.lastIndexOf('@')
  const [made] = await db.query<{ is_active: boolean }>(
    `WITH taken AS (
       INSERT INTO directory_address (address, org_id, inbox_id) VALUES ($3, $1, $2)
       ON CONFLICT (address) DO NOTHING RETURNING 1
     )
     INSERT INTO inboxes (org_id, id, address, local_part, domain, webhook_secret, is_active, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, EXISTS (SELECT 1 FROM taken), $7) RETURNING is_active`,
    [
      orgId,
      id,
      address,
      address.slice(0, at),
      address.slice(at + 1),
      newWebhookSecret(),
      timeOfId(id),
    ],
  )
  return made?.is_active ? 'made' : 'made_without_address'
}

/**
 * Writes down what a rebuild could not find in mail: name, slug and secret of each organization, where they changed.
 * And warns of mail that the database does not know: it is a new one, and a rebuild brings the mail back.
 */
export async function noteOrganizations({
  db,
  blobs,
  log,
}: Pick<Engine, 'db' | 'blobs' | 'log'>): Promise<void> {
  const rows = await db.query<OrganizationRow>(
    'SELECT id, name, slug, dmarc_policy, reply_secret, created_at FROM organizations',
  )
  for (const { id, ...facts } of rows) {
    const entry = { kind: 'organization' as const, ...facts }
    const line = JSON.stringify(entry)
    const entries = await blobs.entries(id)
    if (!entries.some((one) => JSON.stringify(one) === line)) await blobs.journal(id, entry)
  }
  const known = new Set(rows.map(({ id }) => id))
  for (const organization of await blobs.organizations()) {
    if (known.has(organization) || !(await hasMail(blobs, organization))) continue
    log.warn(
      { organization },
      'there is raw mail that the database does not know: postroom reindex',
    )
  }
}

type OrganizationRow = { id: OrgId } & Omit<Extract<JournalEntry, { kind: 'organization' }>, 'kind'>

async function hasMail(blobs: Engine['blobs'], orgId: OrgId): Promise<boolean> {
  for await (const { kind } of blobs.list(orgId)) if (kind === 'sidecar') return true
  return false
}
