import { domainToASCII } from 'node:url'
import fc from 'fast-check'
import addressparser from 'nodemailer/lib/addressparser/index.js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Refusal } from '../../../src/engine/errors.ts'
import { approveReview, getReview } from '../../../src/engine/send/reviews/operations.ts'
import type { Sent } from '../../../src/engine/send/sent.ts'
import { type SendWorld, sendWorld, type TestInbox } from './send-world.ts'

/** Inputs: as many batches as it takes, each sent at once and then delivered. */
const INPUTS = Number(process.env.PROPERTY_INPUTS ?? 10_000)
const BATCH = 250
const SEED = Number(process.env.TEST_SEED ?? 4711)

let world: SendWorld
let inbox: TestInbox
let threads: string[]

beforeAll(async () => {
  world = await sendWorld({ agentSendPolicy: 'review-all' })
  inbox = await world.inbox()
  threads = await conversations()
})
afterAll(() => world.quit())

/** Mails that came in and would like others to be written to as well. */
async function conversations(): Promise<string[]> {
  const headers = [
    ['From: Ann <ann@x.test>', 'Cc: eve@z.test, "bob@ok.test, mallory"@z.test'],
    ['From: "ann@x.test, eve@z.test" <real@x.test>', 'Reply-To: one@x.test, two@x.test'],
    ['From: ann@x.test', 'Reply-To: friends: eve@z.test, bob@z.test;'],
    ['From: Ann <ann@x.test>', 'To: "x" <evil@z.test>, undisclosed:;', 'Bcc: eve@z.test'],
  ]
  const mails = await Promise.all(headers.map((lines, n) => world.mail(inbox, `p${n}`, lines)))
  return mails.map(({ thread_id }) => thread_id)
}

const word = fc.stringMatching(/^[a-z][a-z0-9]{0,7}$/)
const local = fc.oneof(word, fc.stringMatching(/^[A-Za-z0-9]{1,4}([.+_-][a-z0-9]{1,4}){0,2}$/))
/** One job a domain: mostly the same one, so that ten thousand mails are not five times as many deliveries. */
const domain = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom('x.test', 'X.Test') },
  { weight: 1, arbitrary: fc.constantFrom('y.test', 'sub.x.test', 'münchen.test') },
)
const email = fc.tuple(local, domain).map(([a, b]) => `${a}@${b}`)
const name = fc.oneof(
  word,
  fc.constantFrom('Ann Ågren', '"Doe, John"', '王小明', 'a.b', "O'Neil", '“x”', '"a \\"b\\" c"'),
)
const good = fc.oneof(
  email,
  fc.tuple(name, email).map(([n, e]) => `${n} <${e}>`),
  fc.tuple(email).map(([e]) => `  ${e} `),
  fc.tuple(email).map(([e]) => ({ email: e })),
  fc
    .tuple(fc.oneof(word, fc.string({ maxLength: 20 })), email)
    .map(([n, e]) => ({ email: e, name: n })),
)
/** Two of them in the clothes of one, and what other programs would read as another. */
const hostile = fc.oneof(
  fc
    .tuple(email, fc.constantFrom(',', ';', ' ', '\n', '\r\n', '\0', '\t', '>', '> <'), email)
    .map(([a, between, b]) => a + between + b),
  fc.tuple(email, email).map(([a, b]) => `${a} <${b}>`),
  fc.tuple(email, email).map(([a, b]) => `"${a}" <${b}>, ${a}`),
  fc.tuple(email, email).map(([a, b]) => `"${a} x"@${b}`),
  fc.tuple(word, email, email).map(([w, a, b]) => `${w}: ${a}, ${b};`),
  fc.tuple(email, email).map(([a, b]) => `@${a.split('@')[1]}:${b}`),
  fc.tuple(word, email).map(([w, e]) => `${w}%z.test@${e}`),
  fc.tuple(word, email).map(([w, e]) => `z.test!${w}@${e}`),
  fc.tuple(email, email).map(([a, b]) => ({ email: a, name: `x\r\nBcc: ${b}` })),
  fc.tuple(email, email).map(([a, b]) => ({ email: `${a},${b}` })),
  fc.tuple(word, email).map(([w, e]) => `(${w}) ${e} (${w})`),
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.tuple(fc.string({ maxLength: 10 }), email).map(([s, e]) => `${s}${e}`),
)
const field = (least: number) =>
  fc.oneof(
    { weight: 2, arbitrary: fc.array(good, { minLength: least, maxLength: 4 }) },
    { weight: 1, arbitrary: fc.array(fc.oneof(good, hostile), { minLength: least, maxLength: 3 }) },
  )
const written = fc.record(
  {
    to: field(1),
    cc: field(0),
    bcc: field(0),
    reply_to: fc.array(fc.oneof(good, hostile), { maxLength: 1 }),
    subject: fc.oneof(word, fc.string({ maxLength: 60 })),
    headers: fc.dictionary(
      fc.constantFrom('X-Case-ID', 'Bcc', 'To', 'X-SMTPAPI', 'Keywords'),
      fc.oneof(word, email, fc.constant('a\r\nBcc: eve@z.test')),
      { maxKeys: 1 },
    ),
  },
  { requiredKeys: ['to', 'subject'] },
)
const input = fc.record({
  written,
  /** Which conversation it answers, if any; whether everybody there; whether a person has to approve it. */
  answers: fc.option(fc.nat({ max: 3 }), { freq: 4 }),
  all: fc.boolean(),
  reviewed: fc.boolean(),
})
type Input = typeof input extends fc.Arbitrary<infer T> ? T : never

interface Approved {
  /** Everybody whom the answer, or the review, showed. */
  shown: string[]
  /** Those among them whom the mail itself may name. */
  open: string[]
  items: number
}

/** What the sender, or the person who approved it, was shown; undefined where it was refused. */
async function send({
  written,
  answers,
  all,
  reviewed,
}: Input): Promise<[string, Approved] | undefined> {
  const place =
    answers === null ? {} : { thread_id: threads[answers], ...(all && { reply_all: true }) }
  const request = { inbox_id: inbox.id, text_body: 'Hello', ...place, ...written }
  // The loop guard keeps agents from writing in one thread for ever.
  const caller = reviewed && answers === null ? world.agent : world.owner
  let sent: Sent
  try {
    sent = await world.ask(request, caller)
  } catch (error) {
    if (error instanceof Refusal) return undefined
    throw error
  }
  const message = 'review_id' in sent ? await approved(sent.review_id) : sent
  if (!('direction' in message)) throw new Error('nothing was only judged')
  const emails = (people: readonly { email: string }[] = []) => people.map((one) => one.email)
  const open = [...emails(message.to), ...emails(message.cc)]
  const items = [written.to, written.cc, written.bcc].flat().length
  return [
    message.message_id_header ?? '',
    {
      shown: [...open, ...emails(message.bcc)].sort(),
      open: open.sort(),
      items: all ? Infinity : items,
    },
  ]
}

async function approved(review_id: string) {
  const { sha256 } = await getReview.run(world.engine, world.owner, { review_id })
  return (await approveReview.run(world.engine, world.owner, { review_id, sha256 })).message
}

/** The test's server shows international domains in letters; on the wire they are ASCII. */
const asciiDomain = (address: string) => {
  const at = address.lastIndexOf('@') + 1
  return address.slice(0, at) + domainToASCII(address.slice(at))
}
const headerOf = (raw: string, header: string) =>
  new RegExp(`^${header}:((?:.|\\r\\n[ \\t])*)`, 'im').exec(raw.split('\r\n\r\n')[0] ?? '')?.[1] ??
  ''
const named = (raw: string, header: string) =>
  addressparser(headerOf(raw, header), { flatten: true }).map(({ address }) => address)

test(`the wire's recipients are those that were approved, ${INPUTS} times (seed ${SEED})`, async () => {
  const inputs = fc.sample(input, { numRuns: INPUTS, seed: SEED })
  let mails = 0
  for (let start = 0; start < inputs.length; start += BATCH) {
    const sent = await Promise.all(inputs.slice(start, start + BATCH).map(send))
    const asked = new Map(sent.filter((one) => one !== undefined))
    await world.settle()
    const wire = new Map<string, string[]>()
    for (const { to, raw } of world.relay.taken) {
      const mail = raw.toString()
      const id = headerOf(mail, 'Message-ID').trim()
      wire.set(id, [...(wire.get(id) ?? []), ...to.map(asciiDomain)])
      const open = [...named(mail, 'To'), ...named(mail, 'Cc')].sort()
      expect(open).toEqual(asked.get(id)?.open)
      expect(headerOf(mail, 'Bcc')).toBe('')
    }
    for (const [id, { shown, items }] of asked) {
      expect(wire.get(id)?.sort()).toEqual(shown)
      expect(shown.length).toBeLessThanOrEqual(items)
    }
    expect(wire.size).toBe(asked.size)
    mails += asked.size
    await world.calm()
  }
  // Else nothing was shown: both what is taken and what is refused must come up often.
  expect(mails).toBeGreaterThan(INPUTS / 10)
  expect(mails).toBeLessThan((INPUTS * 3) / 4)
}, 300_000)
