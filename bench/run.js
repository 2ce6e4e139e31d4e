// npm run bench: mails per second accepted, parsed, threaded and stored, as ratios against baselines in the same run.
// BENCH_DATABASE_URL: a superuser's URL of a PostgreSQL with pgvector; without it that line is left out, saying so.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { baseline, onPostgres, product } from './contestants.js'

const CONNECTIONS = 20
const BYTES = 4096
const MAILS = Number(process.env.BENCH_MAILS ?? 10_000)
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3)
/** Enough for the compiler to be done with what runs for every mail. */
const WARM_UP = 3000
/** The first bars: shares of the parse-only baseline. */
const BARS = { embedded: 0.15, postgresql: 0.3 }
const SENDER = new URL('./sender.js', import.meta.url).pathname
const RESULTS = new URL('./results.json', import.meta.url)

const server = process.env.BENCH_DATABASE_URL
const contestants = {
  accept: () => baseline('accept'),
  parse: () => baseline('parse'),
  embedded: () => product(),
  ...(server ? { postgresql: () => onPostgres(server) } : {}),
}
if (!server) say('BENCH_DATABASE_URL is not set: PostgreSQL is left out')

const sender = await senderCommand()
say(`${MAILS} mails of ${BYTES} bytes over ${CONNECTIONS} connections by ${sender.name}, best of ${ROUNDS} rounds`)
const rates = Object.fromEntries(Object.keys(contestants).map((name) => [name, []]))
for (let round = 1; round <= ROUNDS; round++) {
  for (const [name, start] of Object.entries(contestants)) {
    const running = await start()
    await mailsPerSecond(running, WARM_UP)
    const rate = await mailsPerSecond(running, MAILS)
    await running.stop()
    rates[name].push(Math.round(rate))
    say(`round ${round}  ${name.padEnd(10)} ${Math.round(rate)} mails/s`)
  }
}
await report()

async function report() {
  const best = Object.fromEntries(Object.entries(rates).map(([name, all]) => [name, Math.max(...all)]))
  const measured = Object.fromEntries(
    Object.entries(best).map(([name, rate]) => [
      name,
      { mails_per_second: rate, of_parse_only: Number((rate / best.parse).toFixed(2)) },
    ]),
  )
  const machine = { cpus: cpus().length, model: cpus()[0]?.model, node: process.version }
  const settings = { connections: CONNECTIONS, bytes: BYTES, mails: MAILS, sender: sender.name }
  await writeFile(RESULTS, `${JSON.stringify({ machine, settings, measured, rates }, null, 2)}\n`)
  say('')
  say('                mails/s   of parse-only   bar')
  for (const [name, { mails_per_second, of_parse_only }] of Object.entries(measured)) {
    const bar = BARS[name] === undefined ? '' : `${BARS[name]} ${of_parse_only >= BARS[name] ? 'reached' : 'MISSED'}`
    say(`${name.padEnd(14)} ${String(mails_per_second).padStart(8)}   ${of_parse_only.toFixed(2).padStart(13)}   ${bar}`)
  }
}

async function mailsPerSecond({ address, recipient }, mails) {
  const [command, args] = sender.command(address, recipient, mails)
  const begin = performance.now()
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`${sender.name} ended with ${code}`)
  return mails / ((performance.now() - begin) / 1000)
}

/** smtp-source of Debian's postfix package where POSTFIX_TOOLS names its folder, else our own sender. */
async function senderCommand() {
  const tool = join(process.env.POSTFIX_TOOLS ?? '', 'smtp-source')
  const there = process.env.POSTFIX_TOOLS && (await access(tool).then(() => true, () => false))
  if (!there) {
    const own = (address, recipient, mails) => [SENDER, address, recipient, CONNECTIONS, BYTES, mails]
    return { name: 'bench/sender.js', command: (...of) => [process.execPath, own(...of).map(String)] }
  }
  const args = (address, recipient, mails) =>
    ['-d', '-s', CONNECTIONS, '-l', BYTES, '-m', mails, '-f', 'bench@example.com', '-t', recipient, address]
  return { name: 'smtp-source', command: (...of) => [tool, args(...of).map(String)] }
}

function say(line) {
  process.stdout.write(`${line}\n`)
}
