// postroom keys create | list | revoke: API keys, for whoever may read the data folder.
import { parseArgs } from 'node:util'
import type { z } from 'zod'
import { createKey, listKeys, revokeKey } from '../../engine/access/operations.ts'
import { SCOPES } from '../../engine/caller.ts'
import { resolveInbox } from '../../engine/inboxes/find.ts'
import { type CommandContext, UsageError } from './command.ts'
import { table } from './table.ts'

const DAY_MS = 86_400_000
const LIFETIME = /^(\d{1,5})d$/
const PAGE = 100

export async function runKeys(context: CommandContext): Promise<number> {
  const [verb, ...rest] = context.argv
  if (verb === 'create') return create(context, rest)
  if (verb === 'list' && rest.length === 0) return list(context)
  if (verb === 'revoke' && rest.length === 1) return revoke(context, rest[0] ?? '')
  throw new UsageError('Use: keys create --name N --scopes a,b | keys list | keys revoke ID')
}

async function create(context: CommandContext, args: string[]): Promise<number> {
  const wish = readWish(args)
  const engine = await context.engine()
  const operator = await context.operator()
  const inboxes = await Promise.all(
    (wish.inbox ?? []).map((inbox) => resolveInbox(engine, operator, inbox)),
  )
  const made = await createKey.run(
    engine,
    operator,
    checked(createKey.input, {
      name: wish.name,
      scopes: wish.scopes.split(',').map((scope) => scope.trim()),
      ...(inboxes.length > 0 ? { inbox_ids: inboxes.map(({ id }) => id) } : {}),
      agent: wish.agent,
      interactive: wish.interactive,
      ...(wish.expires === undefined
        ? {}
        : { expires_at: afterDays(wish.expires, engine.clock.now()) }),
    }),
  )
  // The key alone goes to stdout, so that KEY=$(postroom keys create …) works.
  context.err(`${made.id} "${made.name}" ${made.scopes.join(',')}: shown this once, keep it.\n`)
  context.out(`${made.key}\n`)
  return 0
}

function readWish(args: string[]) {
  try {
    const { values } = parseArgs({
      args,
      options: {
        name: { type: 'string' },
        scopes: { type: 'string' },
        inbox: { type: 'string', multiple: true },
        agent: { type: 'boolean', default: false },
        interactive: { type: 'boolean', default: false },
        expires: { type: 'string' },
      },
    })
    const { name, scopes } = values
    if (name === undefined) throw new Error('--name is missing: what the key is for')
    if (scopes === undefined) throw new Error(`--scopes is missing: some of ${SCOPES.join(',')}`)
    return { ...values, name, scopes }
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

function afterDays(lifetime: string, now: Date): string {
  const days = Number(LIFETIME.exec(lifetime)?.[1])
  if (days > 0) return new Date(now.getTime() + days * DAY_MS).toISOString()
  throw new UsageError(`--expires ${JSON.stringify(lifetime)} is not a number of days like 90d`)
}

/** The operation's own schema says what is wrong, in the words of the command line. */
function checked<S extends z.ZodType>(schema: S, input: unknown): z.output<S> {
  const parsed = schema.safeParse(input)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new UsageError(`--${String(issue?.path[0])}: ${issue?.message}`)
}

async function list(context: CommandContext): Promise<number> {
  const engine = await context.engine()
  const operator = await context.operator()
  const rows = []
  for (let cursor: string | undefined, more = true; more; more = cursor !== undefined) {
    const page = await listKeys.run(engine, operator, { limit: PAGE, offset: 0, cursor })
    rows.push(...page.data)
    cursor = page.pagination.next_cursor
  }
  context.out(
    table(
      ['id', 'key', 'name', 'scopes', 'for', 'expires'],
      rows.map((key) => [
        key.id,
        `${key.prefix}…`,
        key.name,
        key.scopes.join(','),
        key.agent ? 'agents' : 'people',
        key.expires_at ?? 'never',
      ]),
    ),
  )
  return 0
}

async function revoke(context: CommandContext, id: string): Promise<number> {
  await revokeKey.run(await context.engine(), await context.operator(), { key_id: id })
  context.out(`${id} is revoked.\n`)
  return 0
}
