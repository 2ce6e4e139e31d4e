/** Whether a PostgreSQL server and database can hold our mail; each "no" says how to mend it. */
import type { Query } from './query.ts'
import { StartError } from './start-error.ts'

const OLDEST_VERSION = 150_000

interface Check {
  query: Query
  url: string
  adopt: boolean
}

export interface Facts {
  version: number
  name: string
  database: string
  vector: boolean
  ours: boolean
  tables: string[]
}

// Tables that an extension made (PostGIS's spatial_ref_sys) are nobody's data.
const FACTS = `
  SELECT current_setting('server_version_num')::int AS version,
         current_setting('server_version') AS name,
         current_database() AS database,
         EXISTS (SELECT FROM pg_available_extensions WHERE name = 'vector') AS vector,
         EXISTS (SELECT FROM pg_attribute
                  WHERE attrelid = to_regclass('schema_migrations')
                    AND attname = 'checksum' AND NOT attisdropped) AS ours,
         ARRAY(SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE c.relkind IN ('r', 'p') AND n.nspname = ANY (current_schemas(false))
                  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid
                                   AND d.classid = 'pg_class'::regclass AND d.deptype = 'e')
                ORDER BY c.relname = 'schema_migrations' DESC, 1 LIMIT 4) AS tables`

/** What a DATABASE_URL must look like; nothing of it is repeated, since it may hold a password. */
export function checkUrl(url: string): void {
  if (URL.canParse(url) && /^postgres(ql)?:$/.test(new URL(url).protocol)) return
  throw new StartError(
    'DATABASE_URL is not the URL of a PostgreSQL database. ' +
      'Write postgresql://user:password@host:5432/name (characters such as @ and / in the ' +
      'password percent-encoded), or unset it to use the embedded database.',
  )
}

/** Asks the server; a StartError where it cannot hold our mail. */
export async function checkPostgres(check: Check): Promise<void> {
  const facts = await readFacts(check)
  const refusal = refuse(facts, check.adopt)
  if (refusal) throw new StartError(refusal)
}

async function readFacts({ query, url }: Check): Promise<Facts> {
  try {
    const [facts] = await query<Facts>(FACTS)
    if (facts) return facts
    throw new Error('it answered nothing')
  } catch (error) {
    throw new StartError(
      `DATABASE_URL: PostgreSQL at ${place(url)} cannot be used: ${words(error)}. ` +
        'Start it or mend the URL (postgresql://user:password@host:5432/name); ' +
        'unset DATABASE_URL to use the embedded database.',
    )
  }
}

/** Why this database cannot hold our mail, or undefined where it can. */
export function refuse(facts: Facts, adopt: boolean): string | undefined {
  if (facts.version < OLDEST_VERSION) {
    return (
      `DATABASE_URL: this server is PostgreSQL ${facts.name}; 15 or later is needed. ` +
      'Upgrade it, or unset DATABASE_URL to use the embedded database.'
    )
  }
  if (!facts.vector) {
    return (
      'DATABASE_URL: this PostgreSQL has no pgvector (extension "vector" is not available). ' +
      'Install it on the server (Debian: postgresql-15-pgvector; Docker: pgvector/pgvector), ' +
      'or unset DATABASE_URL to use the embedded database.'
    )
  }
  if (!facts.ours && facts.tables.includes('schema_migrations')) {
    return (
      `DATABASE_URL: database "${facts.database}" has a table schema_migrations of another ` +
      `product (its tables: ${listed(facts.tables)}). Name an empty database.`
    )
  }
  if (!facts.ours && facts.tables.length > 0 && !adopt) {
    return (
      `DATABASE_URL: database "${facts.database}" holds tables (${listed(facts.tables)}) and ` +
      'none of Postroom. Name an empty database, or set POSTROOM_ADOPT_DATABASE=true ' +
      'to create our tables beside these.'
    )
  }
  return undefined
}

function listed(tables: string[]): string {
  return tables.length > 3 ? `${tables.slice(0, 3).join(', ')}, …` : tables.join(', ')
}

/** Where the URL points, without user and password. */
function place(url: string): string {
  const { host, pathname } = new URL(url)
  return `${host || 'the local socket'}${pathname}`
}

/** A refused connection to several addresses is an AggregateError with an empty message. */
function words(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(words).join('; ')
  return error instanceof Error ? error.message : String(error)
}
