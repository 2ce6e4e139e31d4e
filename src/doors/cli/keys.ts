// postroom keys create | list | revoke: API keys, for whoever may read the data folder.
import { parseArgs } from 'node:util'
import { createKey, listKeys, revokeKey } from '../../engine/access/operations.ts'
import { SCOPES } from '../../engine/caller.ts'
import { type Detail, ValidationFailed } from '../../engine/errors.ts'
import { resolveInbox, visibleInboxes } from '../../engine/inboxes/find.ts'
import { problemsOf } from '../problems.ts'
import { type CommandContext, UsageError } from './command.ts'
import { table } from './table.ts'

const DAY_MS = 86_400_000
const LIFETIME = /^(\d{1,5})d$/
const PAGE = 100
/** Longer values are cut when they are named back. */
const SHOWN_LENGTH = 60

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
  const input = checked({
    name: wish.name,
    scopes: wish.scopes.split(',').map((scope) => scope.trim()),
    ...(inboxes.length > 0 ? { inbox_ids: inboxes.map(({ id }) => id) } : {}),
    agent: wish.agent,
    interactive: wish.interactive,
    ...(wish.expires === undefined
      ? {}
      : { expires_at: afterDays(wish.expires, engine.clock.now()) }),
  })
  const made = await createKey.run(engine, operator, input).catch(inOptions)
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
function checked(input: object) {
  const parsed = createKey.input.safeParse(input)
  if (parsed.success) return parsed.data
  const details = problemsOf(parsed.error, input, Object.keys(createKey.input.shape))
  throw new UsageError(details.map((detail) => inOption(detail, input)).join('\n'))
}

/** The engine's refusals name fields; who typed options knows none. */
function inOptions(error: unknown): never {
  if (!(error instanceof ValidationFailed)) throw error
  throw new UsageError(
    error.details.map(({ field, message }) => `${optionOf(field)}: ${message}`).join('\n'),
  )
}

const OPTIONS: Readonly<Record<string, string>> = { inbox_ids: 'inbox', expires_at: 'expires' }

function optionOf(field: string): string {
  const [name = ''] = field.split('.')
  return `--${OPTIONS[name] ?? name}`
}

function inOption({ field, message }: Detail, input: object): string {
  const value = field
    .split('.')
    .reduce<unknown>((inner, part) => (inner as Record<string, unknown>)?.[part], input)
  if (typeof value !== 'string') return `${optionOf(field)} ${message}`
  const shown = value.length > SHOWN_LENGTH ? `${value.slice(0, SHOWN_LENGTH)}…` : value
  return `${optionOf(field)} ${JSON.stringify(shown)} ${message}`
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
  const inboxes = await visibleInboxes(engine, operator)
  const addresses = new Map<string, string>(inboxes.map(({ id, address }) => [id, address]))
  const named = (ids: readonly string[]) =>
    ids.map((id) => addresses.get(id) ?? id).join(',') || 'none'
  context.out(
    table(
      ['id', 'key', 'name', 'scopes', 'for', 'expires', 'inboxes'],
      rows.map((key) => [
        key.id,
        `${key.prefix}…`,
        key.name,
        key.scopes.join(','),
        key.agent ? 'agents' : 'people',
        key.expires_at ?? 'never',
        key.inbox_ids === null ? 'all' : named(key.inbox_ids),
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
