/** A DNS server on loopback, over UDP and TCP, that serves what a test says and fails as it says. */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket as Stream } from 'node:net'
import { type Answer, decode, encode, type Packet, type Question } from 'dns-packet'

/** The records of one name; `fails` is what every question for a type that is not listed meets. */
export interface Zone {
  A?: string[]
  AAAA?: string[]
  CNAME?: string
  MX?: { exchange: string; preference: number }[]
  PTR?: string[]
  /** Each record is its strings, one character a byte. */
  TXT?: string[][]
  fails?: 'silence' | 'SERVFAIL' | 'REFUSED'
}

export interface NameServer {
  /** For `DNS_SERVERS`. */
  address: string
  /** Names in lower case without a dot at the end. May be changed at any time. */
  zones: Map<string, Zone>
  /** Every question so far, as `TYPE name`, and `TYPE name/tcp` over TCP. */
  asked: string[]
  close(): Promise<void>
}

const LOOPBACK = '127.0.0.1'
/** RFC 1035 §4.2.1: what fits into a datagram without EDNS. */
const MAX_DATAGRAM = 512
const RCODE = { SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 } as const
const AUTHORITATIVE = 1 << 10
const TRUNCATED = 1 << 9
const MAX_CNAMES = 8

export async function startNameServer(zones: Record<string, Zone> = {}): Promise<NameServer> {
  const state = {
    zones: new Map(Object.entries(zones)),
    asked: [] as string[],
  }
  const tcp = createServer((stream) => serveStream(stream, state))
  const udp = createSocket('udp4')
  const port = await bindBoth(tcp, udp)
  udp.on('message', (bytes, peer) => {
    const reply = replyTo(decode(bytes), state, '')
    if (reply !== undefined) udp.send(datagram(reply), peer.port, peer.address)
  })
  return {
    ...state,
    address: `${LOOPBACK}:${port}`,
    async close() {
      udp.close()
      tcp.close()
      await Promise.all([once(udp, 'close'), once(tcp, 'close')])
    },
  }
}

/** The same port for both, as a resolver that meets a cut answer expects. */
async function bindBoth(tcp: Server, udp: Socket): Promise<number> {
  await once(tcp.listen(0, LOOPBACK), 'listening')
  const { port } = tcp.address() as AddressInfo
  udp.bind(port, LOOPBACK)
  await once(udp, 'listening')
  return port
}

type State = Pick<NameServer, 'zones' | 'asked'>

function serveStream(stream: Stream, state: State): void {
  let waiting = Buffer.alloc(0)
  stream.on('error', () => stream.destroy())
  stream.on('data', (bytes) => {
    waiting = Buffer.concat([waiting, bytes])
    while (waiting.length > 2 && waiting.length >= 2 + waiting.readUInt16BE()) {
      const end = 2 + waiting.readUInt16BE()
      const reply = replyTo(decode(waiting.subarray(2, end)), state, '/tcp')
      waiting = waiting.subarray(end)
      if (reply === undefined) continue
      const body = encode(reply)
      const length = Buffer.alloc(2)
      length.writeUInt16BE(body.length)
      stream.write(Buffer.concat([length, body]))
    }
  })
  stream.on('end', () => stream.end())
}

function datagram(reply: Packet): Buffer {
  const whole = encode(reply)
  if (whole.length <= MAX_DATAGRAM) return whole
  return encode({ ...reply, flags: (reply.flags ?? 0) | TRUNCATED, answers: [] })
}

function replyTo(query: Packet, { zones, asked }: State, over: string): Packet | undefined {
  const [question] = query.questions ?? []
  if (question === undefined) return undefined
  asked.push(`${question.type} ${question.name.toLowerCase()}${over}`)
  const answers: Answer[] = []
  const rcode = collect(question, zones, answers)
  if (rcode === undefined) return undefined
  return {
    type: 'response',
    id: query.id ?? 0,
    flags: AUTHORITATIVE | rcode,
    questions: [question],
    answers,
  }
}

/** Follows CNAMEs as a resolver does; undefined means silence. */
function collect(
  question: Question,
  zones: ReadonlyMap<string, Zone>,
  answers: Answer[],
): number | undefined {
  let name = question.name.toLowerCase()
  for (let hops = 0; hops <= MAX_CNAMES; hops++) {
    const zone = zones.get(name)
    if (zone === undefined) return RCODE.NXDOMAIN
    const found = answersOf(zone, name, question.type)
    answers.push(...found)
    if (found.length > 0) return 0
    if (zone.fails !== undefined) return zone.fails === 'silence' ? undefined : RCODE[zone.fails]
    if (zone.CNAME === undefined) return 0
    const target = withoutDot(zone.CNAME)
    answers.push({ type: 'CNAME', name, data: target })
    name = target
  }
  return RCODE.SERVFAIL
}

const withoutDot = (name: string) => name.toLowerCase().replace(/\.$/, '')

function answersOf(zone: Zone, name: string, type: string): Answer[] {
  switch (type) {
    case 'A':
    case 'AAAA':
      return (zone[type] ?? []).map((data) => ({ type, name, data }))
    case 'PTR':
      return (zone.PTR ?? []).map((data) => ({ type, name, data }))
    case 'CNAME':
      return zone.CNAME === undefined ? [] : [{ type, name, data: withoutDot(zone.CNAME) }]
    case 'MX':
      return (zone.MX ?? []).map((data) => ({ type, name, data }))
    case 'TXT':
      return (zone.TXT ?? []).map((strings) => ({
        type,
        name,
        data: strings.map((text) => Buffer.from(text, 'latin1')),
      }))
    default:
      return []
  }
}
