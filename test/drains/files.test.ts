import { createHash, randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { appendFile, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { fileBlobs } from '../../src/drains/files.ts'
import type { Kept } from '../../src/engine/ports.ts'
import { built, startChild } from '../world/child.ts'

const ORG = 'org_00000000000000000000000001'
const ID = 'msg_00000000000000000000000001'
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
const KEEPER = `
import { createHash } from 'node:crypto'
import { fileBlobs } from '${built('drains/files.js')}'
const [folder, wanted] = process.argv.slice(1)
const { mails, removed } = JSON.parse(wanted)
const blobs = fileBlobs(folder)
const sha256 = (text) => createHash('sha256').update(text).digest('hex')
await Promise.all(mails.map((text) => blobs.put('${ORG}', sha256(text), Buffer.from(text))))
for (const text of removed) await blobs.remove('${ORG}', sha256(text), async () => true)
console.log('kept')
setInterval(() => {}, 1000)
`

let root: string
let count = 0
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'postroom-files-'))
})
afterAll(() => rm(root, { recursive: true, force: true }))

function fresh() {
  count += 1
  return join(root, String(count), 'raw')
}

function opened(folder: string) {
  const blobs = fileBlobs(folder)
  onTestFinished(() => blobs.close())
  return blobs
}

const logsOf = (folder: string) => readdir(join(folder, '.log'))

describe('files of the data folder', () => {
  it('keeps small and large ones under their hash, and sidecars under their message', async () => {
    const folder = fresh()
    const blobs = opened(folder)
    const mails = [Buffer.from('small'), randomBytes(300_000), Buffer.alloc(0)]
    await Promise.all(mails.map((mail) => blobs.put(ORG, sha256(mail), mail)))
    await blobs.putSidecar(ORG, ID, { id: ID })
    for (const mail of mails) expect(await blobs.get(ORG, sha256(mail))).toEqual(mail)
    expect(await blobs.sidecar(ORG, ID)).toEqual({ id: ID })
    await blobs.close()
    for (const mail of mails) {
      expect(await readFile(join(folder, ORG, sha256(mail)))).toEqual(mail)
    }
  })

  it('writes a sidecar again as a whole', async () => {
    const blobs = opened(fresh())
    await blobs.putSidecar(ORG, ID, { status: 'queued', more: 'x'.repeat(500) })
    await blobs.putSidecar(ORG, ID, { status: 'sent' })
    expect(await blobs.sidecar(ORG, ID)).toEqual({ status: 'sent' })
  })

  it('takes hundreds at once, the same ones too', async () => {
    const folder = fresh()
    const blobs = opened(folder)
    const other = opened(folder)
    const mails = Array.from({ length: 300 }, (_, n) => Buffer.from(`mail ${n % 250}`))
    await Promise.all(mails.map((mail) => blobs.put(ORG, sha256(mail), mail)))
    for (const mail of mails) expect(await other.get(ORG, sha256(mail))).toEqual(mail)
    await blobs.close()
    expect(await readdir(join(folder, ORG))).toHaveLength(250)
  })

  it('where a file cannot be made it is read from the log, and nothing more is promised until it can', async () => {
    const folder = fresh()
    const blobs = opened(folder)
    const [first, second, third] = ['first', 'second', 'third'].map((text) => Buffer.from(text))
    const put = (mail = Buffer.alloc(0)) => blobs.put(ORG, sha256(mail), mail)
    await put(first)
    const inTheWay = join(folder, ORG, `${sha256(second as Buffer)}.${process.pid}`)
    await mkdir(inTheWay)
    await put(second)
    expect(await blobs.get(ORG, sha256(second as Buffer))).toEqual(second)
    await expect(put(third)).rejects.toMatchObject({ code: 'EISDIR' })
    await rm(inTheWay, { recursive: true })
    await put(third)
    await blobs.close()
    expect(await readFile(join(folder, ORG, sha256(second as Buffer)))).toEqual(second)
    expect(await readFile(join(folder, ORG, sha256(third as Buffer)))).toEqual(third)
  })

  it('says of a file that went after it was listed that it is gone', async () => {
    const blobs = opened(fresh())
    await blobs.putSidecar(ORG, ID, { id: ID })
    const listed: Kept[] = []
    for await (const kept of blobs.list(ORG)) listed.push(kept)
    expect(listed).toHaveLength(1)
    expect(await listed[0]?.writtenAt()).toBeInstanceOf(Date)
    await blobs.removeSidecar(ORG, ID)
    expect(await listed[0]?.writtenAt()).toBeUndefined()
  })

  it('half a line of the journal, as a full disk leaves it, takes no entry behind it along', async () => {
    const folder = fresh()
    const blobs = opened(folder)
    const entry = (message_id: string) =>
      ({ kind: 'overtaken', message_id, thread_id: '' }) as const
    await blobs.journal(ORG, entry('first'))
    await appendFile(join(folder, ORG, 'journal.jsonl'), '{"kind":"threads_rearr')
    await blobs.journal(ORG, entry('second'))
    expect(await blobs.entries(ORG)).toEqual([entry('first'), entry('second')])
  })

  it('leaves no log behind when it is closed', async () => {
    const folder = fresh()
    const blobs = fileBlobs(folder)
    await blobs.put(ORG, sha256(Buffer.from('a')), Buffer.from('a'))
    expect(await logsOf(folder)).toHaveLength(1)
    await blobs.close()
    expect(await logsOf(folder)).toEqual([])
  })

  it('says why a file could not be kept, and goes on with the next', async () => {
    const folder = fresh()
    const blobs = opened(folder)
    const bad = blobs.putSidecar('org_\0' as typeof ORG, ID, {})
    await expect(bad).rejects.toThrow('null bytes')
    await blobs.put(ORG, sha256(Buffer.from('good')), Buffer.from('good'))
    expect(await blobs.has(ORG, sha256(Buffer.from('good')))).toBe(true)
  })
})

describe('after a crash', () => {
  /** A process that keeps mails, says so, and is killed. */
  async function crashed(folder: string, mails: string[], removed: string[] = []) {
    const child = startChild(KEEPER, [folder, JSON.stringify({ mails, removed })])
    expect(await child.line()).toBe('kept')
    child.process.kill('SIGKILL')
    await child.exited
  }

  it('what was acknowledged and never came to disk is made from the log', async () => {
    const folder = fresh()
    await crashed(folder, ['one', 'two', 'three'])
    await rm(join(folder, ORG), { recursive: true })
    const blobs = opened(folder)
    await blobs.recovered()
    for (const text of ['one', 'two', 'three']) {
      expect((await blobs.get(ORG, sha256(Buffer.from(text)))).toString()).toBe(text)
    }
    expect(await logsOf(folder)).toEqual([])
  })

  it('a file that is there in part is made whole', async () => {
    const folder = fresh()
    await crashed(folder, ['a mail of some length'])
    const path = join(folder, ORG, sha256(Buffer.from('a mail of some length')))
    await appendFile(path, 'and what does not belong to it')
    const blobs = opened(folder)
    await blobs.recovered()
    expect((await readFile(path)).toString()).toBe('a mail of some length')
  })

  it('what was removed stays away', async () => {
    const folder = fresh()
    await crashed(folder, ['kept', 'removed'], ['removed'])
    const blobs = opened(folder)
    await blobs.recovered()
    expect(existsSync(join(folder, ORG, sha256(Buffer.from('kept'))))).toBe(true)
    expect(existsSync(join(folder, ORG, sha256(Buffer.from('removed'))))).toBe(false)
  })

  it('a torn end of the log was acknowledged to nobody', async () => {
    const folder = fresh()
    await crashed(folder, ['whole'])
    const [name] = await logsOf(folder)
    await appendFile(
      join(folder, '.log', `${name}`),
      '{"path":"org_x/torn","length":100,"crc":1}\nhalf',
    )
    const blobs = opened(folder)
    await blobs.recovered()
    expect((await blobs.get(ORG, sha256(Buffer.from('whole')))).toString()).toBe('whole')
    expect(existsSync(join(folder, 'org_x'))).toBe(false)
  })

  it('what the log of a process that lives promises is read from there', async () => {
    const folder = fresh()
    const mails = ['kept', 'removed']
    const child = startChild(KEEPER, [folder, JSON.stringify({ mails, removed: ['removed'] })])
    expect(await child.line()).toBe('kept')
    await rm(join(folder, ORG), { recursive: true })
    const blobs = opened(folder)
    await blobs.recovered()
    expect((await blobs.get(ORG, sha256(Buffer.from('kept')))).toString()).toBe('kept')
    const gone = blobs.get(ORG, sha256(Buffer.from('removed')))
    await expect(gone).rejects.toMatchObject({ code: 'ENOENT' })
    child.process.kill('SIGKILL')
    await child.exited
  })

  it('what was not made to its end goes', async () => {
    const folder = fresh()
    const child = startChild(KEEPER, [folder, JSON.stringify({ mails: ['whole'], removed: [] })])
    expect(await child.line()).toBe('kept')
    child.process.kill('SIGKILL')
    await child.exited
    const name = sha256(Buffer.from('whole'))
    await appendFile(join(folder, ORG, `${name}.${child.process.pid}`), 'who')
    await opened(folder).recovered()
    expect(await readdir(join(folder, ORG))).toEqual([name])
  })

  it('the log of a process that lives is left alone', async () => {
    const folder = fresh()
    const living = opened(folder)
    await living.put(ORG, sha256(Buffer.from('mine')), Buffer.from('mine'))
    const second = opened(folder)
    await second.recovered()
    expect(await logsOf(folder)).toHaveLength(1)
  })
})
