/** One delivery into the built program, watched from outside: what the kernel was asked to make durable before the 250. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createTransport } from 'nodemailer'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { type Folder, migratedFolder, type Postroom, postroom } from '../world/postroom.ts'

const STRACE = process.env.STRACE ?? 'strace'
const noStrace = !runs(STRACE)
if (noStrace) process.stderr.write('fsync before 250: skipped, there is no strace\n')
const onPostgres = inject('template').kind === 'postgres'
const TO = 'hello@postroom.localhost'

let data: Folder
let program: Postroom
let smtp: { host: string; port: number }

beforeAll(async () => {
  if (noStrace || onPostgres) return
  data = await migratedFolder()
  program = postroom(['serve'], { POSTROOM_DATA: data.path, LOG_LEVEL: 'warn' })
  const [, host = '', port] = await program.says(/SMTP\s+smtp:\/\/([\d.]+):(\d+)/)
  await program.says(/is ready/)
  smtp = { host, port: Number(port) }
})
afterAll(async () => {
  await program?.stop()
  await data?.remove()
})

function runs(command: string): boolean {
  try {
    execFileSync(command, ['-V'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

const CALLS = 'trace=fsync,fdatasync,write,writev,pwrite64,sendto'

/** The system calls of all threads while the work is done, one a line, in the order in which they ended. */
async function traced(work: () => Promise<unknown>): Promise<string[]> {
  const file = join(data.path, '..', 'trace')
  const pid = String(program.process.pid)
  const strace = spawn(STRACE, ['-f', '-y', '-s', '8000', '-e', CALLS, '-o', file, '-p', pid], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  // It says so once for each thread; a thread that it missed would hide what it does.
  await once(strace.stderr, 'data')
  await work()
  strace.kill('SIGINT')
  await once(strace, 'exit')
  return ended(await readFile(file, 'utf8'))
}

/** A call that another thread interrupts stands in two lines: it counts where it ends, with what it was asked. */
function ended(trace: string): string[] {
  const begun = new Map<string, string>()
  return trace.split('\n').flatMap((line) => {
    const [, thread = '', call = ''] = /^(\d+)\s+(.*)$/.exec(line) ?? []
    if (call.endsWith('<unfinished ...>')) {
      begun.set(thread, call.replace('<unfinished ...>', ''))
      return []
    }
    const [, rest] = /^<\.\.\. \w+ resumed>(.*)$/.exec(call) ?? []
    return [rest === undefined ? call : `${begun.get(thread) ?? ''}${rest}`]
  })
}

/** What a call does for the mail: one write may carry its bytes and its sidecar. */
const STEPS: [string, RegExp][] = [
  ['bytes logged', /^pwrite64\(\d+<.*\/raw\/\.log\/.*Message-ID: <second@example\.com>/],
  ['sidecar logged', /^pwrite64\(\d+<.*\/raw\/\.log\/.*\/msg_\w+\.json/],
  ['log synced', /^f(data)?sync\(\d+<.*\/raw\/\.log\/.*= 0$/],
  ['database synced', /^f(data)?sync\(\d+<.*\/pg_wal\/.*= 0$/],
  ['accepted', /^(write|writev|sendto)\(.*"250 2\.0\.0 Kept/],
]
const stepsIn = (calls: string[]) =>
  calls.flatMap((call) => STEPS.filter(([, pattern]) => pattern.test(call)).map(([step]) => step))

// On PostgreSQL the commit is made by another process; there the answer to it is what is waited for.
test.skipIf(noStrace || onPostgres)(
  'the log of files and the log of the database are synced before 250 is written',
  { timeout: 120_000 },
  async () => {
    const client = createTransport({ ...smtp, ignoreTLS: true })
    const send = (id: string) =>
      client.sendMail({
        envelope: { from: 'ann@example.com', to: TO },
        raw: `From: ann@example.com\r\nSubject: durable\r\nMessage-ID: <${id}@example.com>\r\n\r\nHello\r\n`,
      })
    // Folders are made once; what every later mail does is what is looked at.
    await send('first')
    const calls = await traced(() => send('second'))

    const steps = stepsIn(calls)
    const last = (step: string) => steps.lastIndexOf(step, steps.indexOf('accepted'))
    expect(new Set(steps)).toEqual(new Set(STEPS.map(([step]) => step)))
    expect(last('bytes logged')).toBeLessThan(last('log synced'))
    expect(last('sidecar logged')).toBeLessThan(last('log synced'))
    // A row never points at what a power cut could take.
    expect(last('log synced')).toBeLessThan(last('database synced'))
  },
)
