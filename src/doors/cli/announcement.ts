// What the server prints when it is ready: where it is, and what to paste next.
import { styleText } from 'node:util'

export interface StartFacts {
  version: string
  seconds: number
  httpUrl: string | undefined
  smtp: { host: string; port: number } | undefined
  /** Only this machine reaches the SMTP door. */
  sandbox: boolean
  /** The oldest inbox: the one that the first start made. */
  inbox: string | undefined
  /** Where outgoing mail is handed to. */
  relay: string | undefined
  /** It goes to the recipients' own servers, by their MX records. */
  direct: boolean
  /** A relay is set but OUTBOUND says dry-run. */
  relayUnused: boolean
  dataDir: string
  /** Where PostgreSQL is; undefined: the embedded database. */
  database: string | undefined
  /** Shown only by the start that made it. */
  firstKey: string | undefined
  /** The first key is the one of POSTROOM_API_KEY. */
  keyGiven: boolean
  /** How our commands are typed here. */
  command: string
  mcp: { command: string; args: string[]; env: Record<string, string> }
  /** Settings whose values are left to be filled in. */
  hidden: readonly string[]
}

type Style = (text: string) => string

/** Plain lines; headings stand out on a terminal. */
export function announcement(facts: StartFacts, terminal: boolean): string {
  const bold: Style = (text) => (terminal ? styleText('bold', text) : text)
  const dim: Style = (text) => (terminal ? styleText('dim', text) : text)
  const paragraphs = [
    [bold(`Postroom ${facts.version} is ready`) + dim(` (${facts.seconds.toFixed(1)} s)`)],
    addresses(facts),
    modes(facts),
    keys(facts, bold),
    [
      bold('MCP client configuration') + dim(' (Claude Desktop and others)'),
      JSON.stringify({ mcpServers: { postroom: facts.mcp } }, null, 2),
      ...(facts.hidden.length > 0
        ? [`Secrets are not shown here: put your own ${facts.hidden.join(' and ')} in.`]
        : []),
    ],
    firstMail(facts, bold),
  ]
  return `\n${paragraphs
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n\n`
}

function addresses({ httpUrl, smtp, inbox }: StartFacts): string[] {
  return [
    ...(httpUrl ? [`  HTTP   ${httpUrl}  (REST at /v1, MCP at /mcp)`] : []),
    ...(smtp ? [`  SMTP   smtp://${smtp.host}:${smtp.port}`] : []),
    ...(inbox ? [`  Inbox  ${inbox}`] : []),
  ]
}

function modes(facts: StartFacts): string[] {
  return [
    outgoing(facts),
    ...(facts.sandbox
      ? [
          'Sandbox: mail from this machine only; for real mail a domain, MX and port 25: postroom doctor',
        ]
      : []),
    facts.database === undefined
      ? `Data: ${facts.dataDir} (stop, delete it, start anew)`
      : `Data: PostgreSQL at ${facts.database}; raw mail in ${facts.dataDir}`,
  ]
}

function outgoing({ relay, direct, relayUnused }: StartFacts): string {
  if (relay !== undefined) return `Outgoing mail: handed to ${relay}`
  if (direct) return "Outgoing mail: delivered to the recipients' MX hosts"
  const how = relayUnused
    ? 'OUTBOUND=dry-run; unset it to use SMTP_RELAY_URL'
    : 'set SMTP_RELAY_URL'
  return `Outgoing mail: kept, not sent (${how})`
}

function keys({ firstKey, keyGiven, command }: StartFacts, bold: Style): string[] {
  if (firstKey === undefined) {
    return [
      'Keys: shown at the first start only. Make another one:',
      `  ${command} keys create --name NAME --scopes inbox:read,email:read`,
    ]
  }
  if (keyGiven) return [`${bold('First API key')}: the one in POSTROOM_API_KEY`]
  return [`${bold('First API key')} (all scopes; shown this once, keep it)`, `  ${firstKey}`]
}

function firstMail({ smtp, inbox }: StartFacts, bold: Style): string[] {
  if (smtp === undefined || inbox === undefined) return []
  const mail = `From: you@example.com\\r\\nTo: ${inbox}\\r\\nSubject: Hello\\r\\n\\r\\nMy first mail.\\r\\n`
  return [
    bold('Send a first mail'),
    `  printf '${mail}' | curl smtp://${smtp.host}:${smtp.port} --mail-from you@example.com --mail-rcpt ${inbox} -T - -sS`,
  ]
}
