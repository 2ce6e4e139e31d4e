// Reading the raw store back, for a rebuild of the database: which organizations, their sidecars, their journals.
import { readFile as readFileOf } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Blobs } from '../engine/ports.ts'

/** By descriptor, which costs less than a FileHandle: every mail that is sent reads two files. */
export const readFile = promisify(readFileOf)

const ORGANIZATION = /^org_[0-9a-z]{26}$/

/** What is not there is an empty answer: a data folder may be new. */
export function keptFiles(root: string): Pick<Blobs, 'organizations' | 'sidecar' | 'entries'> {
  return {
    async organizations() {
      const names = await readdir(root).catch(absent<string[]>([]))
      return names.filter(isOrganization).sort()
    },
    async sidecar(orgId, messageId) {
      const text = await readFile(join(root, orgId, `${messageId}.json`), 'utf8').catch(absent(''))
      return asObject(text)
    },
    async entries(orgId) {
      const text = await readFile(join(root, orgId, 'journal.jsonl'), 'utf8').catch(absent(''))
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
