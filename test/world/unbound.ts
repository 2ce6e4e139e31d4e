/** Debian's unbound: a resolver over zones of its own, as DNS_SERVERS would name one. DNS_TOOLS names its folder. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Zone } from './dns.ts'
import { unusedPort } from './port.ts'

export interface Unbound {
  /** For `DNS_SERVERS`. */
  address: string
  close(): Promise<void>
}

const STARTED = 'start of service'

/** All names end in `.test`, the zone that it holds. */
export async function startUnbound(
  tools: string,
  names: ReadonlyMap<string, Zone>,
): Promise<Unbound> {
  const folder = await mkdtemp(join(tmpdir(), 'postroom-unbound-'))
  const port = await unusedPort()
  await writeFile(join(folder, 'test.zone'), zoneFile(names))
  await writeFile(join(folder, 'unbound.conf'), configuration(folder, port))
  const child = spawn(join(tools, 'unbound'), ['-d', '-c', join(folder, 'unbound.conf')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const ended = once(child, 'exit')
  await says(child.stderr, STARTED)
  return {
    address: `127.0.0.1:${port}`,
    async close() {
      child.kill()
      await ended
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Rejects with all that was said where the stream ends before. */
function says(stream: NodeJS.ReadableStream, words: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = ''
    stream.setEncoding('utf8')
    stream.on('data', (text: string) => {
      said += text
      if (said.includes(words)) resolve()
    })
    stream.on('end', () => reject(new Error(`unbound ended: ${said}`)))
  })
}

const configuration = (folder: string, port: number) => `
server:
  chroot: ""
  username: ""
  directory: "${folder}"
  pidfile: ""
  use-syslog: no
  do-daemonize: no
  do-ip6: no
  interface: 127.0.0.1
  port: ${port}
  num-threads: 1
  verbosity: 1
  module-config: "iterator"
  local-zone: "test." nodefault
  cache-max-ttl: 0
  cache-max-negative-ttl: 0
remote-control:
  control-enable: no
auth-zone:
  name: "test."
  zonefile: "${folder}/test.zone"
  for-upstream: yes
  for-downstream: no
  fallback-enabled: no
`

const HEAD = [
  '$ORIGIN test.',
  '$TTL 60',
  '@ SOA ns.test. admin.test. 1 60 60 60 60',
  '@ NS ns.test.',
  'ns A 127.0.0.1',
]

function zoneFile(names: ReadonlyMap<string, Zone>): string {
  const lines = [...names].flatMap(([name, zone]) =>
    recordsOf(zone).map((record) => `${name}. ${record}`),
  )
  return `${[...HEAD, ...lines].join('\n')}\n`
}

function recordsOf({ A = [], CNAME, MX = [], TXT = [] }: Zone): string[] {
  return [
    ...A.map((address) => `A ${address}`),
    ...(CNAME === undefined ? [] : [`CNAME ${CNAME}.`]),
    ...MX.map(({ exchange, preference }) => `MX ${preference} ${exchange}.`),
    ...TXT.map((strings) => `TXT ${strings.map((text) => `"${text}"`).join(' ')}`),
  ]
}
