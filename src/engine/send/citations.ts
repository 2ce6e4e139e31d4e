// Passages of the knowledge base that a mail rests on: whoever answers for it can look them up, so they must be there.
import type { Caller } from '../caller.ts'
import { ValidationFailed } from '../errors.ts'
import type { Engine } from '../ports.ts'

export const MAX_CITATIONS = 100

/** The chunk ids once each. Throws ValidationFailed that names those that the caller sees no chunk for. */
export async function checkCitations(
  { db }: Pick<Engine, 'db'>,
  { orgId, inboxIds }: Caller,
  ids: readonly string[],
): Promise<string[]> {
  if (ids.length === 0) return []
  const rows = await db.query<{ id: string }>(
    `SELECT id FROM chunks
     WHERE org_id = $1 AND id = ANY($2) AND ($3::text[] IS NULL OR inbox_id = ANY($3))`,
    [orgId, ids, inboxIds],
    'cited_chunks',
  )
  const known = new Set(rows.map(({ id }) => id))
  const problems = ids.flatMap((id, n) => {
    const message = `there is no chunk ${JSON.stringify(id.slice(0, 60))} that this key can see; take chunk_ids from a search`
    return known.has(id) ? [] : [{ field: `citations.${n}`, message }]
  })
  if (problems.length > 0) throw new ValidationFailed(problems)
  return [...new Set(ids)]
}
