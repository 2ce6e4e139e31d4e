// Raw mail and documents as files of the data folder: raw/<org>/<sha256>, a sidecar a message, a journal an organization.
import { existsSync } from 'node:fs'
import { mkdir, open, opendir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Blobs, Kept } from '../engine/ports.ts'
import { openWriter } from './file-log/writer.ts'
import { keptFiles, readFile, readKept } from './kept.ts'

const OWNER_ONLY_FILE = 0o600
const OWNER_ONLY_FOLDER = 0o700
/** Larger ones are written by themselves: in the log they would stand twice, and everybody would wait for them. */
const LARGE = 256 * 1024
const SHA256 = /^[0-9a-f]{64}$/
const SIDECAR = /^(msg_[0-9a-z]{26})\.json$/

export interface FileBlobs extends Blobs {
  /** Resolves once what a crash left behind is in order; before that nothing is read. */
  recovered(): Promise<void>
  close(): Promise<void>
}

/** Files that survive a power cut: small ones by the log that they share, large ones written beside, fsynced and renamed. */
export function fileBlobs(root: string): FileBlobs {
  const writer = openWriter(root)
  const folders = new Map<string, Promise<Folder>>()
  const folderOf = (orgId: string) => {
    const path = join(root, orgId)
    const known = folders.get(path) ?? openFolder(path)
    folders.set(path, known)
    known.catch(() => folders.delete(path))
    return known
  }
  const isThere = async (path: string) => {
    if (!existsSync(path)) await writer.made()
    return existsSync(path)
  }
  return {
    ...keptFiles(root),
    async put(orgId, sha256, bytes) {
      // A small one is written without a look at the folder, which would wait for the thread that makes files there.
      if (bytes.length <= LARGE) return writer.write(`${orgId}/${sha256}`, bytes)
      const folder = await folderOf(orgId)
      return existsSync(join(folder.path, sha256)) ? folder.sync() : folder.write(sha256, bytes)
    },
    async has(orgId, sha256) {
      return isThere(join((await folderOf(orgId)).path, sha256))
    },
    async get(orgId, sha256) {
      const name = `${orgId}/${sha256}`
      // A crash in the middle of a removal leaves the bytes aside.
      return readKept(root, name).catch(() => readFile(join(root, `${name}.removed`)))
    },
    async remove(orgId, sha256, unused) {
      const path = join((await folderOf(orgId)).path, sha256)
      const aside = `${path}.removed`
      if (!(await isThere(path))) return
      await rename(path, aside)
      if (await unused()) {
        await writer.remove(`${orgId}/${sha256}`)
        return rm(aside, { force: true })
      }
      await rename(aside, path)
    },
    async putSidecar(orgId, messageId, sidecar) {
      const json = Buffer.from(`${JSON.stringify(sidecar)}\n`)
      await writer.write(`${orgId}/${messageId}.json`, json)
    },
    async removeSidecar(orgId, messageId) {
      await writer.remove(`${orgId}/${messageId}.json`)
    },
    async *list(orgId) {
      await writer.made()
      yield* listed((await folderOf(orgId)).path)
    },
    async journal(orgId, entry) {
      const folder = await folderOf(orgId)
      // The line end before it parts it from half a line that a full disk or a power cut left.
      await append(join(folder.path, 'journal.jsonl'), `\n${JSON.stringify(entry)}\n`)
      await folder.sync()
    },
    recovered: writer.recovered,
    close: writer.close,
  }
}

async function* listed(path: string): AsyncIterable<Kept> {
  for await (const { name } of await opendir(path)) {
    const writtenAt = async () => (await stat(join(path, name)).catch(gone))?.mtime
    if (SHA256.test(name)) yield { kind: 'raw', sha256: name, writtenAt }
    const messageId = SIDECAR.exec(name)?.[1]
    if (isMessageId(messageId)) yield { kind: 'sidecar', messageId, writtenAt }
  }
}

const gone = (error: NodeJS.ErrnoException): undefined => {
  if (error.code !== 'ENOENT') throw error
}

async function append(path: string, line: string): Promise<void> {
  const file = await open(path, 'a', OWNER_ONLY_FILE)
  try {
    await file.appendFile(line)
    await file.datasync()
  } finally {
    await file.close()
  }
}

interface Folder {
  path: string
  write(name: string, content: string | Uint8Array): Promise<void>
  /** Resolves after an fsync of the folder that began after the call. */
  sync(): Promise<void>
}

async function openFolder(path: string): Promise<Folder> {
  await mkdir(path, { recursive: true, mode: OWNER_ONLY_FOLDER })
  const sync = sharedSync(path)
  let count = 0
  return {
    path,
    sync,
    async write(name, content) {
      count += 1
      const beside = join(path, `.${name}.${process.pid}.${count}`)
      try {
        await writeSynced(beside, content)
        await rename(beside, join(path, name))
      } catch (error) {
        await rm(beside, { force: true })
        throw error
      }
      await sync()
    },
  }
}

async function writeSynced(path: string, content: string | Uint8Array): Promise<void> {
  const file = await open(path, 'w', OWNER_ONLY_FILE)
  try {
    await file.writeFile(content)
    await file.datasync()
  } finally {
    await file.close()
  }
}

/** One fsync of the folder under way and at most one waiting, which serves all who ask meanwhile. */
function sharedSync(path: string): () => Promise<void> {
  let running: Promise<void> | undefined
  let waiting: Promise<void> | undefined
  const start = () => {
    waiting = undefined
    running = syncFolder(path).finally(() => {
      running = undefined
    })
    return running
  }
  return () => {
    if (running === undefined) return start()
    waiting ??= running.catch(() => undefined).then(start)
    return waiting
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

const isMessageId = (name: string | undefined): name is `msg_${string}` => name !== undefined
