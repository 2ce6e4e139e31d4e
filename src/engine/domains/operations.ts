// Adding, reading, checking and deleting domains, and changing the key that signs.
import { z } from 'zod'
import { sameOrganization } from '../access/operations.ts'
import { newAudit } from '../audit.ts'
import type { Caller } from '../caller.ts'
import { Conflict } from '../errors.ts'
import { operation } from '../operation.ts'
import { makePage, pageInput, pageOf, placeOf } from '../page.ts'
import type { Engine } from '../ports.ts'
import { domainName, makeDomain } from './add.ts'
import { Domain, type DomainRow, type KeyedDomain } from './domain.ts'
import { resolveDomain, withKeys } from './load.ts'
import { firstOrganization, keepMailDomain, refuseMailDomain } from './mail-domain.ts'
import { rotateKeys } from './rotate.ts'
import { showDomain } from './show.ts'
import { checkDomain } from './verify.ts'

const org = { org_id: z.string().optional() }
const one = z.strictObject({ ...org, domain_id: z.string() })

/** Throws ValidationFailed for a name that is none, Conflict for the server's own and beyond 100 domains. */
export const addDomain = operation({
  name: 'add_domain',
  summary:
    'Add a domain: its keys are made, and the DNS records to set come back. Again: the same.',
  scope: 'org:admin',
  reads: false,
  input: z.strictObject({ ...org, domain: z.string() }),
  output: Domain.extend({ created: z.boolean() }),
  async run(engine, caller, { org_id, domain: text }) {
    sameOrganization(caller, org_id)
    const { orgId } = caller
    const own = text.trim().toLowerCase() === engine.settings.mailDomain
    const domain = own ? engine.settings.mailDomain : domainName(text)
    await refuseMailDomain(engine, { orgId, domain })
    const made = await makeDomain(engine, { orgId, domain, isMailDomain: own, by: caller })
    return { ...showDomain(made.domain, engine.settings), created: made.created }
  },
})

export const listDomains = operation({
  name: 'list_domains',
  summary: 'The domains of the organization, newest first, with their DNS records.',
  scope: 'org:admin',
  reads: true,
  input: z.strictObject({ ...org, ...pageInput }),
  output: pageOf(Domain),
  async run(engine, caller, { org_id, ...page }) {
    sameOrganization(caller, org_id)
    await haveMailDomain(engine, caller)
    const after = placeOf(page.cursor, 'dom')
    const rows = await engine.db.query<DomainRow>(
      `SELECT * FROM domains WHERE org_id = $1
         AND ($2::timestamptz IS NULL OR (created_at, id) < ($2, $3))
       ORDER BY created_at DESC, id DESC LIMIT $4 OFFSET $5`,
      [caller.orgId, after?.at ?? null, after?.id ?? null, page.limit + 1, page.offset],
    )
    const total = await engine.db.prisma.domains.count({ where: { org_id: caller.orgId } })
    const keyed = await withKeys(engine, caller.orgId, rows)
    const place = (row: KeyedDomain) => ({ at: row.created_at, id: row.id })
    return makePage(keyed, page, total, place, (row) => showDomain(row, engine.settings))
  },
})

export const getDomain = operation({
  name: 'get_domain',
  summary: 'One domain, by id or name, with its DNS records as the last check saw them.',
  scope: 'org:admin',
  reads: true,
  input: one,
  output: Domain,
  async run(engine, caller, { org_id, domain_id }) {
    sameOrganization(caller, org_id)
    return showDomain(await domainOf(engine, caller, domain_id), engine.settings)
  },
})

/** Throws Conflict where another organization of this server holds the domain. */
export const verifyDomain = operation({
  name: 'verify_domain',
  summary: 'Look the DNS records of a domain up now and say of each what is missing.',
  scope: 'org:admin',
  reads: false,
  input: one,
  output: Domain,
  async run(engine, caller, { org_id, domain_id }) {
    sameOrganization(caller, org_id)
    const domain = await domainOf(engine, caller, domain_id)
    await checkDomain(engine, domain, caller)
    return showDomain(await resolveDomain(engine, caller, domain.id), engine.settings)
  },
})

/** Throws Conflict where no further key is published. */
export const rotateDomain = operation({
  name: 'rotate_domain',
  summary:
    'Sign with the next of the three DKIM keys from now on; nothing has to change in the DNS first.',
  scope: 'org:admin',
  reads: false,
  input: one,
  output: Domain,
  async run(engine, caller, { org_id, domain_id }) {
    sameOrganization(caller, org_id)
    const domain = await domainOf(engine, caller, domain_id)
    await rotateKeys(engine, domain, caller)
    return showDomain(await resolveDomain(engine, caller, domain.id), engine.settings)
  },
})

/** Throws Conflict for the mail domain, and while inboxes are on the domain. */
export const deleteDomain = operation({
  name: 'delete_domain',
  summary: 'Delete a domain and its keys. Inboxes on it have to be deleted first.',
  scope: 'org:admin',
  reads: false,
  input: one,
  output: z.void(),
  async run(engine, caller, { org_id, domain_id }) {
    sameOrganization(caller, org_id)
    const { id, domain } = await domainOf(engine, caller, domain_id)
    if (domain === engine.settings.mailDomain) {
      throw new Conflict(`${domain} is the mail domain of this server and cannot be deleted.`, {
        fix: 'Change POSTROOM_MAIL_DOMAIN first.',
      })
    }
    const about = { inbox_id: null, ids: [id], detail: { domain }, undoes: null }
    const now = engine.clock.now()
    const audit = newAudit(caller, { ...about, action: 'domain.deleted' }, now)
    const gone = await engine.db.query(
      `WITH gone AS (
         DELETE FROM domains d WHERE d.org_id = $1 AND d.id = $2 AND NOT EXISTS (
           SELECT FROM inboxes i WHERE i.org_id = $1 AND i.domain = d.domain AND i.deleted_at IS NULL)
         RETURNING d.org_id, d.id
       ), keys AS (
         DELETE FROM domain_keys k USING gone g WHERE k.org_id = g.org_id AND k.domain_id = g.id
       ), freed AS (
         DELETE FROM directory_domain n USING gone g WHERE n.org_id = g.org_id AND n.domain_id = g.id
       ), noted AS (
         INSERT INTO audit SELECT a.* FROM jsonb_populate_record(NULL::audit, $3) AS a, gone
       )
       SELECT 1 FROM gone`,
      [caller.orgId, id, JSON.stringify(audit)],
    )
    if (gone.length > 0) return
    throw new Conflict(`There are inboxes on ${domain}.`, {
      fix: 'Delete them first; their mail goes with them.',
    })
  },
})

/** The mail domain is one of the first organization's from the start, also before anybody has listed them. */
async function domainOf(engine: Engine, caller: Caller, ref: string) {
  if (ref.toLowerCase() === engine.settings.mailDomain) await haveMailDomain(engine, caller)
  return resolveDomain(engine, caller, ref)
}

async function haveMailDomain(engine: Engine, { orgId }: Caller): Promise<void> {
  if ((await firstOrganization(engine)) === orgId) await keepMailDomain(engine)
}
