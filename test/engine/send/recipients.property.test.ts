import { domainToASCII } from 'node:url'
import fc from 'fast-check'
import addressparser from 'nodemailer/lib/addressparser/index.js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Refusal } from '../../../src/engine/errors.ts'
import type { Mailbox } from '../../../src/engine/messages/address.ts'
import { prepare } from '../../../src/engine/send/prepare.ts'
import { approveReview, getReview } from '../../../src/engine/send/reviews/operations.ts'
import { messageInput } from '../../../src/engine/send/written.ts'
import { type Input, input } from './generated-mail.ts'
import { type SendWorld, sendWorld, type TestInbox } from './send-world.ts'

/** From the request to the wire; and the whole way, through the database, a person's approval and the jobs. */
const ON_THE_WIRE = Number(process.env.PROPERTY_INPUTS ?? 10_000)
const ALL_THE_WAY = 300
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

/** What the sender, or the person who approved it, was shown. */
interface Shown {
  message_id_header: string | null
  to: readonly Mailbox[]
  cc: readonly Mailbox[]
  bcc?: readonly Mailbox[] | undefined
}

const requestOf = ({ written, answers, all }: Input) => ({
  inbox_id: inbox.id,
  text_body: 'Hello',
  ...(answers === null ? {} : { thread_id: threads[answers], ...(all && { reply_all: true }) }),
  ...written,
})

/** Undefined where the request was refused. */
async function taken<T>(attempt: () => Promise<T>): Promise<T | undefined> {
  try {
    return await attempt()
  } catch (error) {
    if (error instanceof Refusal) return undefined
    throw error
  }
}

async function toTheWire(one: Input): Promise<Shown> {
  const request = messageInput.parse(requestOf(one))
  const { row, raw } = await prepare(world.engine, world.owner, request)
  const { mail_from: from, rcpt_to: to } = row.envelope
  await world.drain.send({ envelope: { from, to }, raw })
  return row
}

async function allTheWay(one: Input): Promise<Shown> {
  // The loop guard keeps agents from writing in one thread for ever.
  const caller = one.reviewed && one.answers === null ? world.agent : world.owner
  const sent = await world.ask(requestOf(one), caller)
  if ('direction' in sent) return sent
  if (!('review_id' in sent)) throw new Error('nothing was only judged')
  const { review_id } = sent
  const { sha256 } = await getReview.run(world.engine, world.owner, { review_id })
  return (await approveReview.run(world.engine, world.owner, { review_id, sha256 })).message
}

/** International domains stand in letters where the server shows them, and beside an international local part. */
const asciiDomain = (address: string) => {
  const at = address.lastIndexOf('@') + 1
  return address.slice(0, at) + domainToASCII(address.slice(at))
}
const headerOf = (raw: string, header: string) =>
  new RegExp(`^${header}:((?:.|\\r\\n[ \\t])*)`, 'im').exec(raw.split('\r\n\r\n')[0] ?? '')?.[1] ??
  ''
const named = (raw: string, header: string) =>
  addressparser(headerOf(raw, header), { flatten: true })
    .map(({ address }) => asciiDomain(address))
    .filter((address) => address !== '')
const emails = (people: readonly Mailbox[] = []) => people.map(({ email }) => email)
/** A copy for those with ASCII addresses names the others in words alone. */
const namedIn = (copy: { smtpUtf8: boolean }, people: readonly Mailbox[] = []) =>
  emails(people).filter((email) => copy.smtpUtf8 || /^\p{ASCII}*$/u.test(email))

/** Compares what was shown with what the relay was told: in RCPT TO, and in the header of each copy. */
function compare(shown: readonly Shown[]): void {
  const wire = new Map<string, string[]>()
  const asked = new Map(shown.map((one) => [one.message_id_header ?? '', one]))
  for (const copy of world.relay.taken) {
    const { to, raw } = copy
    const mail = raw.toString()
    const id = headerOf(mail, 'Message-ID').trim()
    wire.set(id, [...(wire.get(id) ?? []), ...to.map(asciiDomain)])
    expect(named(mail, 'To')).toEqual(namedIn(copy, asked.get(id)?.to))
    expect(named(mail, 'Cc')).toEqual(namedIn(copy, asked.get(id)?.cc))
    expect(headerOf(mail, 'Bcc')).toBe('')
  }
  for (const [id, { to, cc, bcc }] of asked) {
    expect(wire.get(id)?.sort()).toEqual([...emails(to), ...emails(cc), ...emails(bcc)].sort())
  }
  expect(wire.size).toBe(asked.size)
}

/** Who was asked for is at most who was written down, one an item; a reply fills in the others by itself. */
function requireNobodyMore({ written, answers }: Input, { to, cc, bcc = [] }: Shown): void {
  if (answers !== null) return
  const items = [written.to, written.cc, written.bcc].map((field) => field?.length ?? 0)
  const people = [to.length, cc.length, bcc.length]
  expect(people.every((count, n) => count <= (items[n] ?? 0))).toBe(true)
}

test.each([
  ['the wire', ON_THE_WIRE, toTheWire],
  ['the wire, all the way', ALL_THE_WAY, allTheWay],
] as const)(
  `the recipients on %s are those that were approved, for %i generated mails (seed ${SEED})`,
  async (_way, count, send) => {
    const inputs = fc.sample(input, { numRuns: count, seed: SEED })
    let mails = 0
    for (let start = 0; start < inputs.length; start += BATCH) {
      await world.calm()
      const shown = await Promise.all(
        inputs.slice(start, start + BATCH).map(async (one) => {
          const mail = await taken(() => send(one))
          if (mail) requireNobodyMore(one, mail)
          return mail ?? []
        }),
      )
      await world.settle()
      compare(shown.flat())
      mails += shown.flat().length
    }
    // Else nothing was shown: both what is taken and what is refused must come up often.
    expect(mails).toBeGreaterThan(count / 10)
    expect(mails).toBeLessThan(count / 2)
  },
  300_000,
)
