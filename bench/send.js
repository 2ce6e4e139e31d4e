// npm run bench:send: queued mails handed to a local sink, as a share of what nodemailer's pool does in a bare loop in
// the same run; and how much a destination that hangs slows the others. Writes its part of bench/results.json.
// BENCH_DATABASE_URL: a superuser's URL of a PostgreSQL with pgvector; without it that line is left out, saying so.
import { fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { dataFolder, freshDatabase, serve } from './contestants.js'

const MAILS = Number(process.env.BENCH_SEND_MAILS ?? 5000)
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3)
const BYTES = 4096
const DOMAINS = 100
/** So many more go to the destination that hangs. */
const DEAD_SHARE = 0.2
const QUEUEING = 20
const INBOX = 'bench@bench.example'
const POLL_MS = 100
const BARS = { of_bare_loop: 0.4, slowed: 1.5 }
const KEY = 'ait_00000000-0000-4000-8000-000000000001'
const BARE_LOOP = new URL('./bare-loop.js', import.meta.url).pathname
const RESULTS = new URL('./results.json', import.meta.url)

const server = process.env.BENCH_DATABASE_URL
if (!server) say('BENCH_DATABASE_URL is not set: PostgreSQL is left out')
const databases = ['embedded', ...(server ? ['postgresql'] : [])]
const child = fork(new URL('./sink.js', import.meta.url).pathname)
const [sink] = await once(child, 'message')

say(`${MAILS} mails of ${BYTES} bytes, best of ${ROUNDS} rounds`)
const rates = Object.fromEntries(['bare', ...databases].map((name) => [name, []]))
const slowed = Object.fromEntries(databases.map((name) => [name, []]))
for (let round = 1; round <= ROUNDS; round++) {
  rates.bare.push(await bareLoop())
  say(`round ${round}  bare loop   ${rates.bare.at(-1)} mails/s`)
  for (const name of databases) {
    const rate = await inHouse(name, relay(), queue(0), perSecond)
    rates[name].push(rate)
    const p95 = []
    for (const dead of [0, MAILS * DEAD_SHARE]) {
      p95.push(await inHouse(name, direct(), queue(dead), (times) => quantile(times, 0.95)))
    }
    slowed[name].push(Number((p95[1] / p95[0]).toFixed(2)))
    say(`round ${round}  ${name.padEnd(11)} ${rate} mails/s by relay; p95 by MX ${p95[0]} ms, beside a dead host ${p95[1]} ms`)
  }
}
child.kill()
await report()

async function report() {
  const best = (all) => Math.max(...all)
  const measured = Object.fromEntries(
    databases.map((name) => [
      name,
      {
        mails_per_second: best(rates[name]),
        of_bare_loop: Number((best(rates[name]) / best(rates.bare)).toFixed(2)),
        slowed_by_dead_host: Math.min(...slowed[name]),
      },
    ]),
  )
  const before = JSON.parse(await readFile(RESULTS, 'utf8').catch(() => '{}'))
  const settings = { mails: MAILS, bytes: BYTES, domains: DOMAINS, connections: 5 }
  const send = { settings, measured: { bare_loop: { mails_per_second: best(rates.bare) }, ...measured }, rates, slowed }
  await writeFile(RESULTS, `${JSON.stringify({ ...before, send }, null, 2)}\n`)
  say('')
  say('              mails/s   of bare loop   bar            slowed by a dead host   bar')
  for (const [name, one] of Object.entries(measured)) {
    const reached = one.of_bare_loop >= BARS.of_bare_loop ? 'reached' : 'MISSED'
    const calm = one.slowed_by_dead_host <= BARS.slowed ? 'reached' : 'MISSED'
    say(
      `${name.padEnd(12)} ${String(one.mails_per_second).padStart(8)}   ${String(one.of_bare_loop).padStart(12)}   ${BARS.of_bare_loop} ${reached}   ${String(one.slowed_by_dead_host).padStart(24)}   ${BARS.slowed} ${calm}`,
    )
  }
}

async function bareLoop() {
  const args = [BARE_LOOP, sink.host, sink.port, MAILS, BYTES].map(String)
  const warm = expectMails(MAILS)
  const loop = spawn(process.execPath, args, { stdio: 'inherit' })
  await warm
  const rate = perSecond(await expectMails(MAILS))
  await once(loop, 'exit')
  return rate
}

/** Queues mails while the sink does not answer, and then takes the time from when it does. */
async function inHouse(name, settings, recipients, measure) {
  const data = await dataFolder()
  const database = name === 'postgresql' ? await freshDatabase(server) : undefined
  const running = await serve(data, {
    POSTROOM_API_KEY: KEY,
    POSTROOM_MAIL_DOMAIN: 'bench.example',
    ...(database && { DATABASE_URL: database.url }),
    ...settings,
  })
  await call(running.url, '/v1/agent/inboxes', { username: 'bench' })
  // As the bare loop, which runs twice: the compiler is done then with what runs for every mail.
  const warm = expectMails(MAILS)
  await queueMails(running.url, queue(0))
  await warm
  await recorded(running.url)
  child.send({ paused: true })
  await queueMails(running.url, recipients)
  const times = await expectMails(MAILS, { paused: false })
  // Mail for the host that hangs goes on waiting.
  if (recipients.length === MAILS) times.push(times.at(-1) + (await recorded(running.url)))
  await running.stop()
  await database?.drop()
  return measure(times)
}

function relay() {
  return { SMTP_RELAY_URL: `smtp://${sink.host}:${sink.port}` }
}

function direct() {
  return { OUTBOUND: 'mx', OUTBOUND_MX_PORT: String(sink.port), DNS_SERVERS: sink.dns }
}

/** The recipients in the order of the queue; `dead` of them, spread evenly, at the host that hangs. */
function queue(dead) {
  const all = Array.from({ length: MAILS }, (_, n) => `r${n}@d${n % DOMAINS}.test`)
  const every = dead === 0 ? Number.POSITIVE_INFINITY : Math.floor(MAILS / dead)
  return all.flatMap((one, n) => (n % every === 0 && dead > 0 ? [`r${n}@dead.test`, one] : [one]))
}

async function queueMails(url, recipients) {
  const text_body = `${'X'.repeat(78)}\n`.repeat(Math.ceil(BYTES / 79))
  const left = [...recipients]
  const some = async () => {
    for (let to = left.shift(); to !== undefined; to = left.shift()) {
      await call(url, `/v1/agent/inboxes/${INBOX}/messages`, { to, subject: 'Bench', text_body })
    }
  }
  await Promise.all(Array.from({ length: QUEUEING }, some))
}

async function call(url, path, body) {
  const headers = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' }
  const answer = await fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
  return answer.json()
}

/** Waits until the product says of every mail what became of it; resolves with how long that took, in ms. */
async function recorded(url) {
  const begun = Date.now()
  const open = async (status) => {
    const path = `/v1/agent/inboxes/${INBOX}/messages?status=${status}&limit=1`
    const answer = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${KEY}` } })
    return (await answer.json()).pagination.total > 0
  }
  while ((await open('queued')) || (await open('sending'))) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
  return Date.now() - begun
}

/** When each of so many mails was taken, in ms from now. Told in one message, so that none is taken before it counts. */
async function expectMails(count, more = {}) {
  child.send({ expect: count, ...more })
  const [{ times }] = await once(child, 'message')
  return times
}

/** The last of the times is when all was recorded, where it was waited for. */
function perSecond(times) {
  return Math.round(MAILS / (times.at(-1) / 1000))
}

/** Milliseconds until this share of the mails was taken. */
function quantile(times, share) {
  return times[Math.floor(MAILS * share)]
}

function say(line) {
  process.stdout.write(`${line}\n`)
}
