/** One statement on one connection: values in, typed rows out. */
import pg from 'pg'

/** One statement, parameters as in node-postgres; `name` makes it a prepared statement. */
export type Query = <Row extends object>(
  text: string,
  values?: readonly unknown[],
  name?: string,
) => Promise<Row[]>

/**
 * Runs the statement on the connection once it is there, and gives the connection back.
 * @param patienceMs after which it rejects, and the connection is given up; what the server does with it is not known then
 */
export async function run<Row extends object>(
  connecting: Promise<pg.PoolClient>,
  text: string,
  values: readonly unknown[] = [],
  name?: string,
  patienceMs?: number,
): Promise<Row[]> {
  const client = await connecting
  try {
    const statement = {
      text,
      values: [...values],
      types: TYPES,
      ...(name && { name }),
      ...(patienceMs && { query_timeout: patienceMs }),
    }
    const { rows } = await client.query<Row>(statement)
    client.release()
    // Several statements without parameters answer with a list of results; nobody reads its rows.
    return rows ?? []
  } catch (error) {
    client.release(isBroken(error))
    throw error
  }
}

/** An SQL error leaves the session as it was; a FATAL one ends it, and so does anything else. */
function isBroken(error: unknown): boolean {
  return !(error instanceof pg.DatabaseError) || error.severity !== 'ERROR'
}

const TYPES: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text') =>
    oid === pg.types.builtins.INT8
      ? exactInteger
      : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
}

function exactInteger(text: string): number | bigint {
  const value = Number(text)
  return Number.isSafeInteger(value) ? value : BigInt(text)
}
