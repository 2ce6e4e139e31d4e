// Finding a domain with its keys, by id or by name.
import type { Caller } from '../caller.ts'
import { NotFound } from '../errors.ts'
import type { OrgId } from '../ids.ts'
import type { Engine } from '../ports.ts'
import type { DomainKeyRow, DomainRow, KeyedDomain } from './domain.ts'

type Db = Pick<Engine, 'db'>

/** The domain a caller names by its id or its name. Throws NotFound, also where it is another organization's. */
export async function resolveDomain({ db }: Db, { orgId }: Caller, ref: string) {
  const [row] = await db.query<DomainRow>(
    'SELECT * FROM domains WHERE org_id = $1 AND (id = $2 OR domain = lower($2))',
    [orgId, ref],
  )
  const [keyed] = row === undefined ? [] : await withKeys({ db }, orgId, [row])
  if (keyed === undefined) throw new NotFound('domain', ref)
  return keyed
}

export async function withKeys(
  { db }: Db,
  orgId: OrgId,
  rows: readonly DomainRow[],
): Promise<KeyedDomain[]> {
  const keys = await db.query<DomainKeyRow>(
    'SELECT * FROM domain_keys WHERE org_id = $1 AND domain_id = ANY($2) ORDER BY selector',
    [orgId, rows.map(({ id }) => id)],
  )
  return rows.map((row) => ({ ...row, keys: keys.filter((key) => key.domain_id === row.id) }))
}
