import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { dnsOver } from '../../src/drains/dns.ts'
import { authenticate } from '../../src/engine/receive/authenticate/authenticate.ts'
import { judgeSpf } from '../../src/engine/receive/authenticate/spf.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { type NameServer, startNameServer, type Zone } from '../world/dns.ts'

const folder = join(process.env.POSTROOM_CORPORA ?? '../shared/corpora', 'auth')
const present = existsSync(folder)
if (!present) process.stderr.write(`authentication: skipped, there are no corpora at ${folder}\n`)

/** Zones that keep silent would otherwise cost 4.5 s a case. */
const TRY_MS = 200
const HOSTNAME = 'mx.example.net'

/** Where we answer otherwise than a suite asks, and why. None of them turns into a pass. */
type Deviations = Record<string, { is: string; why: string }>

const HOST_NAMES_ONLY =
  'the resolver of Node (c-ares) asks for letters, digits, -, _, / and * only: such a name does not exist for us'
const HELO_IN_MACRO =
  'mailauth takes a %{h} that expands to no domain for an error in the record, not for no match (§4.8)'

const SPF_DEVIATIONS: Deviations = {
  'a-colon-domain': { is: 'neutral', why: HOST_NAMES_ONLY },
  'a-colon-domain-ip4mapped': { is: 'neutral', why: HOST_NAMES_ONLY },
  'mx-colon-domain': { is: 'neutral', why: HOST_NAMES_ONLY },
  'mx-colon-domain-ip4mapped': { is: 'neutral', why: HOST_NAMES_ONLY },
  'macro-mania-in-domain': { is: 'fail', why: HOST_NAMES_ONLY },
  'p-macro-multiple': {
    is: 'neutral',
    why: 'mailauth does not validate a name for %{p} (§7.2 advises against its use) and takes the sender’s domain',
  },
  'invalid-hello-macro': { is: 'permerror', why: HELO_IN_MACRO },
  'hello-domain-literal': { is: 'permerror', why: HELO_IN_MACRO },
  'require-valid-helo': { is: 'permerror', why: HELO_IN_MACRO },
}

const ARC_DEVIATIONS: Deviations = {}

interface Scenario<Case> {
  description: string
  tests: Record<string, Case>
}
interface SpfCase {
  helo: string
  host: string
  mailfrom: string
  result: string | string[]
}
type SpfRecord = 'TIMEOUT' | Record<string, string | string[] | [number, string]>
interface SpfScenario extends Scenario<SpfCase> {
  zonedata: Record<string, SpfRecord[]>
}
interface ArcCase {
  message: string
  cv?: string
  AS?: string
  AMS?: string
  AAR?: string
}
interface ArcScenario extends Scenario<ArcCase> {
  'txt-records': string
}

let server: NameServer

const judge = (mail: { ip: string; helo: string; mailFrom: string; raw: Buffer }) =>
  authenticate(
    {
      dns: dnsOver({ servers: [server.address], tryMs: TRY_MS }),
      clock: systemClock,
      hostname: HOSTNAME,
      spf: judgeSpf,
    },
    mail,
  )

function serve(zones: Record<string, Zone>): void {
  server.zones.clear()
  for (const [name, zone] of Object.entries(zones)) server.zones.set(name.toLowerCase(), zone)
}

describe.skipIf(!present)('the suites of the standards', () => {
  beforeAll(async () => {
    server = await startNameServer()
  })
  afterAll(() => server.close())

  test('SPF: the RFC 7208 suite', async () => {
    const outcomes: Outcome[] = []
    for (const document of parseAllDocuments(read('rfc7208-tests.yml'))) {
      const { tests, zonedata } = document.toJS() as SpfScenario
      serve(spfZones(zonedata))
      for (const [name, { helo, host, mailfrom, result }] of Object.entries(tests)) {
        const raw = Buffer.from('Subject: x\r\n\r\n')
        const { authentication } = await judge({ ip: host, helo, mailFrom: mailfrom, raw })
        outcomes.push({ name, is: authentication.spf, right: [result].flat() })
      }
    }
    compare('SPF', outcomes, SPF_DEVIATIONS, 203)
  })

  test('ARC: the suites of validating and of sealing', async () => {
    const outcomes: Outcome[] = []
    for (const file of ['validation', 'sign']) {
      for (const document of parseAllDocuments(read(`arc/arc-draft-${file}-tests.yml`))) {
        const scenario = document.toJS() as ArcScenario
        serve(txtZones(scenario['txt-records']))
        for (const [name, mail] of Object.entries(scenario.tests)) {
          const raw = Buffer.from(sealed(mail).replace(/\r?\n/g, '\r\n'))
          const { authentication } = await judge({ ip: '192.0.2.1', helo: 'x', mailFrom: '', raw })
          outcomes.push({ name, is: authentication.arc, right: [rightChain(mail)] })
        }
      }
    }
    compare('ARC', outcomes, ARC_DEVIATIONS, 188)
  })
})

interface Outcome {
  name: string
  is: string
  right: string[]
}

/** The list of deviations must be exact: one more or one fewer fails. */
function compare(suite: string, outcomes: Outcome[], known: Deviations, total: number): void {
  const deviating = outcomes.filter(({ is, right }) => !right.includes(is))
  process.stderr.write(
    `authentication: ${suite} ${outcomes.length - deviating.length} of ${outcomes.length} right\n`,
  )
  for (const [name, { why }] of Object.entries(known)) {
    process.stderr.write(`authentication: ${suite} ${name}: ${why}\n`)
  }
  expect(deviating.filter(({ is }) => is === 'pass')).toEqual([])
  const found = Object.fromEntries(deviating.map(({ name, is }) => [name, is]))
  const listed = Object.fromEntries(Object.entries(known).map(([name, { is }]) => [name, is]))
  expect(found).toEqual(listed)
  expect(outcomes).toHaveLength(total)
}

const read = (file: string) => readFileSync(join(folder, file), 'utf8')

/** The suite's own shorthand: SPF records stand for TXT too, unless the name has TXT records of its own. */
function spfZones(zonedata: Record<string, SpfRecord[]>): Record<string, Zone> {
  return Object.fromEntries(
    Object.entries(zonedata).map(([name, records]) => [name, spfZone(records)]),
  )
}

function spfZone(records: readonly SpfRecord[]): Zone {
  const pairs = records.flatMap((record) => (record === 'TIMEOUT' ? [] : Object.entries(record)))
  const all = (type: string) => pairs.flatMap(([of, value]) => (of === type ? [value] : []))
  const txt = all('TXT').length > 0 ? all('TXT') : all('SPF')
  const [cname] = all('CNAME')
  return {
    A: all('A').map(String),
    AAAA: all('AAAA').map(String),
    PTR: all('PTR').map(String),
    MX: all('MX').map((value) => {
      const [preference, exchange] = value as [number, string]
      return { preference, exchange }
    }),
    // A record without any string is none that a server could send (RFC 1035 §3.3.14): it gets an empty one.
    TXT: txt
      .filter((value) => value !== 'NONE')
      .map((value) => (value.length === 0 ? [''] : [value].flat().map(String))),
    ...(cname === undefined ? {} : { CNAME: String(cname) }),
    ...(records.includes('TIMEOUT') ? { fails: 'silence' } : {}),
  }
}

const txtZones = (records: string | Record<string, string>): Record<string, Zone> =>
  Object.fromEntries(
    Object.entries(typeof records === 'string' ? parse(records) : records).map(([name, text]) => [
      name,
      { TXT: [String(text).match(/.{1,255}/gs) ?? []] },
    ]),
  )

/**
 * What a sealer of the suite's sends on: its three fields before the mail. The suite folds the values for reading,
 * also within tags; its signatures are made over unfolded ones.
 */
function sealed({ message, AS, AMS, AAR }: ArcCase): string {
  if (!AS || !AMS || !AAR) return message
  const tags = (value: string) =>
    value
      .split(';')
      .map((tag) => tag.replace(/\s+/g, ''))
      .join('; ')
  const results = AAR.trim().replace(/\n/g, '\n  ')
  return `ARC-Seal: ${tags(AS)}\nARC-Message-Signature: ${tags(AMS)}\nARC-Authentication-Results: ${results}\n${message}`
}

/**
 * A case of the sealing suite is right where its result verifies, or says cv=fail. Cases of the validating suite
 * without an answer have a newest seal of cv=fail, which ends the matter. RFC 8617 §5.2, step 2.
 */
function rightChain({ cv, AS }: ArcCase): string {
  if (AS === undefined) return cv?.toLowerCase() || 'fail'
  return /cv=(none|pass)/.test(AS) ? 'pass' : 'fail'
}
