// npm run bench:load: how long the answer to DATA takes under load, large mails beside the parse-only baseline, and memory
// over many mails. Where the rates stand is `npm run bench`. BENCH_DATABASE_URL as there.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { baseline, onPostgres, product } from './contestants.js'

const SENDER = new URL('./sender.js', import.meta.url).pathname
const MIB = 1024 * 1024
const P99_BAR_MS = 250
const LARGE_BAR = 0.5
const STEPS = 5
const MAILS = Number(process.env.BENCH_MEMORY_MAILS ?? 50_000)

const server = process.env.BENCH_DATABASE_URL
const databases = {
  embedded: () => product(),
  ...(server ? { postgresql: () => onPostgres(server) } : {}),
}
if (!server) say('BENCH_DATABASE_URL is not set: PostgreSQL is left out')

for (const [name, start] of Object.entries(databases)) await answers(name, start)
await large()
for (const [name, start] of Object.entries(databases)) await memory(name, start)

async function answers(name, start) {
  const running = await start()
  await send(running, { mails: 1000 })
  const { p50, p99, max } = await send(running, { mails: 5000 })
  await running.stop()
  const verdict = p99 < P99_BAR_MS ? 'reached' : 'MISSED'
  say(`answer to DATA, ${name}: p50 ${p50} ms, p99 ${p99} ms, max ${max} ms (p99 under ${P99_BAR_MS}: ${verdict})`)
}

async function large() {
  const rates = {}
  for (const [name, start] of Object.entries({ parse: () => baseline('parse'), ...databases })) {
    const running = await start()
    const one = { mails: 100, bytes: 5 * MIB, connections: 4 }
    await send(running, { ...one, mails: 8 })
    const begin = performance.now()
    await send(running, one)
    rates[name] = one.mails / ((performance.now() - begin) / 1000)
    await running.stop()
  }
  const { parse, ...ours } = rates
  say(`mails of 5 MB, parse-only: ${parse.toFixed(1)}/s`)
  for (const [name, rate] of Object.entries(ours)) {
    const share = rate / parse
    const verdict = share >= LARGE_BAR ? 'reached' : 'MISSED'
    say(`mails of 5 MB, ${name}: ${rate.toFixed(1)}/s, ${share.toFixed(2)} of it (bar ${LARGE_BAR}: ${verdict})`)
  }
}

async function memory(name, start) {
  const running = await start()
  for (let step = 1; step <= STEPS; step++) {
    const { p99 } = await send(running, { mails: MAILS / STEPS })
    say(`memory, ${name}: ${(MAILS / STEPS) * step} mails, ${residentMiB(running.pid)} MiB, p99 ${p99} ms`)
  }
  await running.stop()
}

function residentMiB(pid) {
  const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Math.round(Number(kilobytes) / 1024)
}

async function send({ address, recipient }, { mails, bytes = 4096, connections = 20 }) {
  const args = [SENDER, address, recipient, connections, bytes, mails].map(String)
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const [printed, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')])
  if (code !== 0) throw new Error(`the sender ended with ${code}`)
  return JSON.parse(printed)
}

function say(line) {
  process.stdout.write(`${line}\n`)
}
