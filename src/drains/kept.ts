// Reading the raw store back, for a rebuild of the database: which organizations, their sidecars, their journals.
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs'
import { readdir, readFile as readLarge } from 'node:fs/promises'
import { join } from 'node:path'
import type { Blobs } from '../engine/ports.ts'
import { promised } from './file-log/promised.ts'

const SMALL_BYTES = 256 * 1024

/**
 * A small file is read at once: to hand its four calls to the thread pool costs 0.2 ms of processor time, the calls
 * themselves a twentieth. Every mail that is sent reads two.
 */
export async function readFile(path: string): Promise<Buffer> {
  const file = openSync(path, 'r')
  try {
    if (fstatSync(file).size <= SMALL_BYTES) return readFileSync(file)
  } finally {
    closeSync(file)
  }
  return readLarge(path)
}

/** A file below the root, also where a log alone has it yet, and where it is made while the log is read. */
export function readKept(root: string, name: string): Promise<Buffer> {
  const path = join(root, name)
  return readFile(path)
    .catch(() => promised(root, name))
    .catch(() => readFile(path))
}

const NO_BYTES = Buffer.alloc(0)
const ORGANIZATION = /^org_[0-9a-z]{26}$/

/** What is not there is an empty answer: a data folder may be new. */
export function keptFiles(root: string): Pick<Blobs, 'organizations' | 'sidecar' | 'entries'> {
  return {
    async organizations() {
      const names = await readdir(root).catch(absent<string[]>([]))
      return names.filter(isOrganization).sort()
    },
    async sidecar(orgId, messageId) {
      const bytes = await readKept(root, `${orgId}/${messageId}.json`).catch(absent(NO_BYTES))
      return asObject(bytes.toString('utf8'))
    },
    async entries(orgId) {
      const bytes = await readFile(join(root, orgId, 'journal.jsonl')).catch(absent(NO_BYTES))
      const text = bytes.toString('utf8')
      // A power cut may leave half a line; what it would have said was not acknowledged.
      return text.split('\n').flatMap((line) => asObject(line) ?? [])
    },
  }
}

const isOrganization = (name: string): name is `org_${string}` => ORGANIZATION.test(name)

const absent =
  <T>(nothing: T) =>
  (error: NodeJS.ErrnoException): T => {
    if (error.code === 'ENOENT') return nothing
    throw error
  }

function asObject(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}
