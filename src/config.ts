// What the environment says, checked: the only reader of process.env.
import { homedir, hostname } from 'node:os'
import { dirname, isAbsolute, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { masked } from './config/mask.ts'
import { strangers } from './config/stranger.ts'
import { tlsFiles, wrongTls } from './config/tls.ts'
import * as value from './config/value.ts'

/** The package's own folder: the one of package.json. */
export const PACKAGE_ROOT = dirname(dirname(fileURLToPath(import.meta.url)))

export type Environment = Readonly<Record<string, string | undefined>>

/** One variable that stops the start. `value` is safe to show: passwords and keys are masked. */
export interface Problem {
  variable: string
  value: string
  /** What would be right, as the end of the sentence "it must be …". */
  right: string
}

export type Reading =
  | { ok: true; config: Config /** Set, but nothing that we read. */; ignored: string[] }
  | { ok: false; problems: Problem[] }

const LOOPBACK = ['localhost', 'localhost:*', '127.0.0.1', '127.0.0.1:*', '[::1]', '[::1]:*']

const Settings = z.object({
  DATABASE_URL: value.url(
    ['postgresql:', 'postgres:'],
    'postgresql://user:password@host:5432/name',
  ),
  POSTROOM_ADOPT_DATABASE: value.flag(false),
  POSTROOM_DATA: value.text('the path of a folder').optional(),
  POSTROOM_API_KEY: value.apiKey,
  POSTROOM_SECRET_KEY: value.secretKey,
  POSTROOM_MAIL_DOMAIN: value.domain.default('postroom.localhost'),
  HTTP_HOST: value.host.default('127.0.0.1'),
  HTTP_PORT: value.port.default(8525),
  SMTP_HOST: value.host.default('127.0.0.1'),
  SMTP_PORT: value.port.default(2525),
  SMTP_HOSTNAME: value.domain.optional(),
  SMTP_TLS_CERT: value.text('the path of a PEM file').optional(),
  SMTP_TLS_KEY: value.text('the path of a PEM file').optional(),
  SMTP_BARE_NEWLINES: value.oneOf(['reject', 'normalize']).default('reject'),
  PUBLIC_URL: value.url(['http:', 'https:'], 'https://mail.example.com'),
  ALLOWED_HOSTS: value.hosts.default(LOOPBACK),
  ALLOWED_ORIGINS: value.hosts.default(LOOPBACK),
  SMTP_RELAY_URL: value.url(['smtp:', 'smtps:'], 'smtp://user:password@host:587'),
  OUTBOUND: value.oneOf(['dry-run', 'relay', 'mx']).optional(),
  OUTBOUND_MX_PORT: value.remotePort.default(25),
  WEBHOOK_RETRY_SCHEDULE: value.schedule.default([0, 60, 300, 1800, 7200]),
  WEBHOOK_TIMEOUT_SECONDS: value.seconds.default(30),
  WEBHOOK_ALLOW_PRIVATE: value.oneOf(['auto', 'true', 'false']).default('auto'),
  OUTBOUND_RETRY_SCHEDULE: value.schedule.default([0, 300, 1800, 7200, 14400, 28800, 57600]),
  MCP_TOOLSETS: value
    .listOf(['mail', 'knowledge', 'drafts', 'admin'])
    .default(['mail', 'knowledge']),
  MCP_READ_ONLY: value.flag(false),
  AGENT_SEND_POLICY: value.oneOf(['review-new', 'review-all', 'open']).default('review-new'),
  AGENT_CAPS: value.caps.default('10/m,200/d,20new/d'),
  REVIEW_NOTIFY: value.mailAddress.optional(),
  REVIEW_TTL_HOURS: value.hours.default(168),
  DNS_SERVERS: value.nameServers.optional(),
  LOG_LEVEL: value.oneOf(['error', 'warn', 'info', 'debug', 'silent']).default('info'),
})
type Parsed = z.output<typeof Settings>

/** Every setting that is read, in the order of the documentation. */
export const SETTING_NAMES: readonly string[] = Object.keys(Settings.shape)

export type Config = ReturnType<typeof asConfig>

/** The configuration that an environment describes, or everything that is wrong with it. Throws nothing. */
export function readConfig(env: Environment = process.env): Reading {
  const given = Object.fromEntries(
    SETTING_NAMES.map((name) => [name, env[name]?.trim() || undefined]),
  )
  const parsed = Settings.safeParse(given)
  const { mistaken, ignored } = strangers(Object.keys(env), SETTING_NAMES)
  const problems = [
    ...mistaken,
    ...(parsed.success ? together(parsed.data) : parsed.error.issues.map(toProblem)),
  ]
  const shown = problems.map(({ variable, right }) => ({
    variable,
    right,
    value: masked(variable, env[variable] ?? ''),
  }))
  if (!parsed.success || shown.length > 0) return { ok: false, problems: shown }
  return { ok: true, config: asConfig(parsed.data, given), ignored }
}

/** One line a problem, for people. */
export function sayProblems(problems: readonly Problem[]): string {
  return problems
    .map(({ variable, value, right }) =>
      value === ''
        ? `${variable} is not set: it must be ${right}.`
        : `${variable}="${value}" cannot be used: it must be ${right}.`,
    )
    .join('\n')
}

type Wrong = Omit<Problem, 'value'>

function toProblem(issue: z.core.$ZodIssue): Wrong {
  return { variable: String(issue.path[0]), right: issue.message }
}

/** What no variable alone can get wrong. */
function together(parsed: Parsed): Wrong[] {
  const wrong: Wrong[] = []
  if (parsed.OUTBOUND === 'relay' && parsed.SMTP_RELAY_URL === undefined) {
    wrong.push({
      variable: 'OUTBOUND',
      right:
        '"dry-run" or "mx" while SMTP_RELAY_URL is not set (SMTP_RELAY_URL=smtp://user:password@host:587)',
    })
  }
  return [...wrong, ...wrongTls(tlsPaths(parsed))]
}

const tlsPaths = ({ SMTP_TLS_CERT: cert, SMTP_TLS_KEY: key }: Parsed) => ({
  cert: cert === undefined ? undefined : anchored(cert),
  key: key === undefined ? undefined : anchored(key),
})

function asConfig(parsed: Parsed, given: Record<string, string | undefined>) {
  return {
    databaseUrl: parsed.DATABASE_URL,
    adoptDatabase: parsed.POSTROOM_ADOPT_DATABASE,
    dataDir: parsed.POSTROOM_DATA === undefined ? defaultDataDir() : anchored(parsed.POSTROOM_DATA),
    apiKey: parsed.POSTROOM_API_KEY,
    /** Undefined: the key is a file in the data folder. */
    secretKey: parsed.POSTROOM_SECRET_KEY,
    mailDomain: parsed.POSTROOM_MAIL_DOMAIN,
    http: { host: parsed.HTTP_HOST, port: parsed.HTTP_PORT },
    smtp: {
      host: parsed.SMTP_HOST,
      port: parsed.SMTP_PORT,
      hostname: parsed.SMTP_HOSTNAME ?? hostname().toLowerCase(),
      tls: tlsFiles(tlsPaths(parsed)),
      bareNewlines: parsed.SMTP_BARE_NEWLINES,
    },
    /** Without a slash at the end; undefined: made of host and port. */
    publicUrl: parsed.PUBLIC_URL?.replace(/\/+$/, ''),
    allowedHosts: parsed.ALLOWED_HOSTS,
    allowedOrigins: parsed.ALLOWED_ORIGINS,
    relayUrl: parsed.SMTP_RELAY_URL,
    outbound: parsed.OUTBOUND ?? (parsed.SMTP_RELAY_URL === undefined ? 'dry-run' : 'relay'),
    mxPort: parsed.OUTBOUND_MX_PORT,
    webhookRetrySchedule: parsed.WEBHOOK_RETRY_SCHEDULE,
    webhookTimeoutSeconds: parsed.WEBHOOK_TIMEOUT_SECONDS,
    webhookAllowPrivate: parsed.WEBHOOK_ALLOW_PRIVATE,
    outboundRetrySchedule: parsed.OUTBOUND_RETRY_SCHEDULE,
    mcpToolsets: parsed.MCP_TOOLSETS,
    mcpReadOnly: parsed.MCP_READ_ONLY,
    agentSendPolicy: parsed.AGENT_SEND_POLICY,
    agentCaps: parsed.AGENT_CAPS,
    reviewNotify: parsed.REVIEW_NOTIFY,
    reviewTtlHours: parsed.REVIEW_TTL_HOURS,
    /** `address:port` each; undefined: the system's. */
    dnsServers: parsed.DNS_SERVERS,
    logLevel: parsed.LOG_LEVEL,
    /** The variables that were set, as they were written: for a configuration that starts the same again. */
    given: Object.fromEntries(
      Object.entries(given).filter((entry): entry is [string, string] => entry[1] !== undefined),
    ),
  } as const
}

/** Beside package.json in a source tree; an installed package is replaced by the next one. */
function defaultDataDir(): string {
  return isInstalled() ? join(homedir(), '.postroom') : join(PACKAGE_ROOT, 'data')
}

/** A relative path means the same folder wherever the command is started from. */
function anchored(path: string): string {
  if (path === '~' || path.startsWith('~/')) return join(homedir(), path.slice(1))
  if (isAbsolute(path)) return join(path)
  return join(isInstalled() ? homedir() : PACKAGE_ROOT, path)
}

const isInstalled = () => PACKAGE_ROOT.includes(`${sep}node_modules${sep}`)
