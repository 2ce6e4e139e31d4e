import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { fileBlobs } from '../../src/drains/files.ts'
import { built, startChild } from '../world/child.ts'

const ORG = 'org_00000000000000000000000001'
const ID = 'msg_00000000000000000000000001'
const OTHER = 'msg_00000000000000000000000002'
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const FILES = `
import { createHash } from 'node:crypto'
import { fileBlobs } from '${built('drains/files.js')}'
const sha256 = (text) => createHash('sha256').update(text).digest('hex')
const blobs = fileBlobs(process.argv[1])
const put = (text) => blobs.put('${ORG}', sha256(text), Buffer.from(text))
`
/** Keeps two sidecars and a mail, and one more that it removes again. */
const KEEPER = `${FILES}
for (const id of ['${ID}', '${OTHER}']) await blobs.putSidecar('${ORG}', id, { status: 'queued' })
await put('a mail')
await put('a document')
await blobs.remove('${ORG}', sha256('a document'), async () => true)
console.log('kept')
setInterval(() => {}, 1000)
`
const FAULTY = `${FILES}
for (const text of ['first', 'second', 'third']) {
  console.log(await put(text).then(() => 'kept', (error) => error.code))
}
process.kill(process.pid, 'SIGKILL')
`
const RECOVERING = `
import { recover } from '${built('drains/file-log/recover.js')}'
const [root] = process.argv.slice(1)
console.log('ready')
for (;;) recover(root, root + '/.log')
`
const OPENING = `
import { existsSync, readdirSync } from 'node:fs'
import { openLog } from '${built('drains/file-log/log.js')}'
const logs = process.argv[1] + '/.log'
let lost = 0
for (let n = 0; n < 300; n += 1) {
  const log = openLog(logs)
  log.append([Buffer.from('x')])
  if (readdirSync(logs).length === 0) lost += 1
  await log.discard()
}
console.log(lost)
`
const noStrace = spawnSync('strace', ['-V']).status !== 0

let root: string
let count = 0
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'postroom-shared-'))
})
afterAll(() => rm(root, { recursive: true, force: true }))

async function fresh() {
  count += 1
  const folder = join(root, String(count), 'raw')
  await mkdir(join(folder, '.log'), { recursive: true })
  return folder
}

function opened(folder: string) {
  const blobs = fileBlobs(folder)
  onTestFinished(() => blobs.close())
  return blobs
}

const logsOf = (folder: string) => readdir(join(folder, '.log'))
const pathOf = (folder: string, text: string) => join(folder, ORG, sha256(text))

async function keeper(folder: string) {
  const child = startChild(KEEPER, [folder])
  expect(await child.line()).toBe('kept')
  return {
    async kill() {
      child.process.kill('SIGKILL')
      await child.exited
    },
  }
}

interface Promised {
  path: string
  text?: string
  at?: number
}

/** A log that a process left behind, as it stands on disk. */
async function left(folder: string, name: string, records: Promised[]) {
  const pieces = records.flatMap(({ path, text, at }) => {
    const bytes = Buffer.from(text ?? '')
    const content = text === undefined ? {} : { length: bytes.length, crc: crc32(bytes) }
    return [`${JSON.stringify({ path, at, ...content })}\n`, bytes, '\n']
  })
  const path = join(folder, '.log', name)
  await writeFile(path, Buffer.concat(pieces.map((piece) => Buffer.from(piece))))
}

describe('several processes on one folder', () => {
  it('what one wrote and removed is not undone by the log of another that was killed', async () => {
    const folder = await fresh()
    const first = await keeper(folder)
    const second = opened(folder)
    await second.putSidecar(ORG, ID, { status: 'sent' })
    await second.removeSidecar(ORG, OTHER)
    await second.remove(ORG, sha256('a mail'), async () => true)
    await first.kill()
    const again = opened(folder)
    await again.recovered()
    expect(await again.sidecar(ORG, ID)).toEqual({ status: 'sent' })
    expect(existsSync(join(folder, ORG, `${OTHER}.json`))).toBe(false)
    expect(existsSync(pathOf(folder, 'a mail'))).toBe(false)
  })

  it('nor where the other one had ended before', async () => {
    const folder = await fresh()
    const first = await keeper(folder)
    const second = fileBlobs(folder)
    await second.putSidecar(ORG, ID, { status: 'sent' })
    await second.removeSidecar(ORG, OTHER)
    await second.close()
    // A third one takes up what the second has left, and keeps it in mind.
    await opened(folder).recovered()
    await first.kill()
    const again = opened(folder)
    await again.recovered()
    expect(await again.sidecar(ORG, ID)).toEqual({ status: 'sent' })
    expect(existsSync(join(folder, ORG, `${OTHER}.json`))).toBe(false)
  })

  it('what one removed and another has kept since stays', async () => {
    const folder = await fresh()
    const first = await keeper(folder)
    const second = opened(folder)
    await second.put(ORG, sha256('a document'), Buffer.from('a document'))
    await first.kill()
    const again = opened(folder)
    await again.recovered()
    expect((await again.get(ORG, sha256('a document'))).toString()).toBe('a document')
  })

  it('what one removed is not read from the log of another', async () => {
    const folder = await fresh()
    const first = await keeper(folder)
    const second = opened(folder)
    await second.removeSidecar(ORG, OTHER)
    expect(await second.sidecar(ORG, OTHER)).toBeUndefined()
    await first.kill()
  })

  it('a log that another one has just finished stops no start', async () => {
    const folder = await fresh()
    await symlink('finished', join(folder, '.log', '1-a.log'))
    await left(folder, '2-b.log', [{ path: `${ORG}/${sha256('whole')}`, text: 'whole', at: 1 }])
    const blobs = opened(folder)
    await blobs.recovered()
    expect((await blobs.get(ORG, sha256('whole'))).toString()).toBe('whole')
  })

  it('a log that is opened is taken up by nobody', async () => {
    const folder = await fresh()
    const recovering = startChild(RECOVERING, [folder])
    expect(await recovering.line()).toBe('ready')
    const opening = startChild(OPENING, [folder])
    expect(await opening.line()).toBe('0')
    await opening.exited
    recovering.process.kill('SIGKILL')
    await recovering.exited
  })
})

describe('logs of one process', () => {
  const sidecar = `${ORG}/${ID}.json`

  it('the newest record counts, whatever the logs are called', async () => {
    const folder = await fresh()
    const document = `${ORG}/${sha256('a document')}`
    await left(folder, '1-a.log', [
      { path: sidecar, text: '{"status":"sent"}\n', at: 3 },
      { path: document, text: 'a document', at: 4 },
    ])
    await left(folder, '1-b.log', [
      { path: sidecar, text: '{"status":"queued"}\n', at: 1 },
      { path: document, at: 2 },
    ])
    const blobs = opened(folder)
    await blobs.recovered()
    expect(await blobs.sidecar(ORG, ID)).toEqual({ status: 'sent' })
    expect(await blobs.has(ORG, sha256('a document'))).toBe(true)
    expect(await logsOf(folder)).toEqual([])
  })

  it('a sidecar of which a power cut left half is made whole', async () => {
    const folder = await fresh()
    await (await keeper(folder)).kill()
    await truncate(join(folder, sidecar), 5)
    const blobs = opened(folder)
    await blobs.recovered()
    expect(await blobs.sidecar(ORG, ID)).toEqual({ status: 'queued' })
  })

  it('a log of an older version, which says no times, is made into files', async () => {
    const folder = await fresh()
    await mkdir(join(folder, ORG))
    await writeFile(join(folder, sidecar), '{"status":"queued"}\n')
    await writeFile(pathOf(folder, 'a mail'), 'a mail')
    await left(folder, '1-a.log', [
      { path: sidecar, text: '{"status":"queued"}\n' },
      { path: `${ORG}/${sha256('a document')}`, text: 'a document' },
      { path: sidecar, text: '{"status":"sent"}\n' },
      { path: `${ORG}/${sha256('a mail')}` },
    ])
    const blobs = opened(folder)
    await blobs.recovered()
    expect(await blobs.sidecar(ORG, ID)).toEqual({ status: 'sent' })
    expect(await blobs.has(ORG, sha256('a document'))).toBe(true)
    expect(existsSync(pathOf(folder, 'a mail'))).toBe(false)
  })

  it.skipIf(noStrace)('what could not be synced is taken out of the log again', async () => {
    const folder = await fresh()
    const fault = ['-e', 'trace=fdatasync', '-e', 'inject=fdatasync:error=EIO:when=2']
    const child = startChild(FAULTY, [folder], ['strace', '-f', '-o', '/dev/null', ...fault])
    const said = [await child.line(), await child.line(), await child.line()]
    expect(said).toEqual(['kept', 'EIO', 'kept'])
    await child.exited
    await rm(join(folder, ORG), { recursive: true })
    const blobs = opened(folder)
    await blobs.recovered()
    expect(await readdir(join(folder, ORG))).toEqual([sha256('first'), sha256('third')].sort())
  })
})
