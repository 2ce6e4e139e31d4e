/** What is kept encrypted in the database: AES-256-GCM under a key that is not in it. NIST SP 800-38D. */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'
import {
  closeSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { makeDataFolder } from './folder.ts'
import { StartError } from './start-error.ts'

export interface Secrets {
  /** @param about what the secret belongs to; it opens only with the same words again */
  seal(secret: string, about: string): string
  /** The secret; undefined where it was sealed with a key that we do not have, or about something else. */
  open(sealed: string, about: string): string | undefined
}

export const SECRET_KEY_BYTES = 32

const CIPHER = 'aes-256-gcm'
/** NIST SP 800-38D §5.2.1.1 recommends 96 bits; random ones are safe for 2^32 secrets a key (§8.3). */
const NONCE_BYTES = 12
const TAG_BYTES = 16
const KEY_FILE = 'secret.key'
/** So many characters of its hash tell which key a secret was sealed with. */
const KEY_NAME_LENGTH = 8

/**
 * Seals with the key of the setting, or else with the one in the data folder, made here where there is none (0600).
 * What either of them sealed can be opened, so that a machine may move to the setting. Throws StartError.
 */
export function secretsIn(dataDir: string, given?: Buffer): Secrets {
  const path = join(dataDir, KEY_FILE)
  const kept = readKey(path) ?? (given === undefined ? makeKey(dataDir, path) : undefined)
  const keys = [given, kept].filter((key) => key !== undefined)
  return secretsWith(keys)
}

function secretsWith(keys: readonly Buffer[]): Secrets {
  const [sealing] = keys
  if (sealing === undefined) throw new Error('there is a key to seal with')
  const named = new Map(keys.map((key) => [nameOf(key), key]))
  return {
    seal(secret, about) {
      const nonce = randomBytes(NONCE_BYTES)
      const cipher = createCipheriv(CIPHER, sealing, nonce).setAAD(Buffer.from(about))
      const hidden = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()])
      const bytes = Buffer.concat([nonce, cipher.getAuthTag(), hidden])
      return `${nameOf(sealing)}.${bytes.toString('base64')}`
    },
    open(sealed, about) {
      const [name = '', base64 = ''] = sealed.split('.')
      const key = named.get(name)
      return key && opened(key, Buffer.from(base64, 'base64'), about)
    },
  }
}

function opened(key: Buffer, bytes: Buffer, about: string): string | undefined {
  const tagged = NONCE_BYTES + TAG_BYTES
  if (bytes.length < tagged) return undefined
  const options = { authTagLength: TAG_BYTES }
  const cipher = createDecipheriv(CIPHER, key, bytes.subarray(0, NONCE_BYTES), options)
  cipher.setAAD(Buffer.from(about)).setAuthTag(bytes.subarray(NONCE_BYTES, tagged))
  try {
    return cipher.update(bytes.subarray(tagged), undefined, 'utf8') + cipher.final('utf8')
  } catch {
    return undefined
  }
}

const nameOf = (key: Buffer) =>
  createHash('sha256').update(key).digest('hex').slice(0, KEY_NAME_LENGTH)

function readKey(path: string): Buffer | undefined {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOENT') return undefined
    throw unusable(path, error)
  }
  const key = Buffer.from(text.trim(), 'base64')
  if (key.length === SECRET_KEY_BYTES) return key
  throw unusable(path, new Error(`it does not hold ${SECRET_KEY_BYTES} bytes in base64`))
}

/** Whole or not at all, and by one process: a link is never made over a file that is there. */
function makeKey(dataDir: string, path: string): Buffer {
  makeDataFolder(dataDir)
  const draft = `${path}.${process.pid}`
  try {
    writeFileSync(draft, `${randomBytes(SECRET_KEY_BYTES).toString('base64')}\n`, {
      mode: 0o600,
      flush: true,
    })
    linkSync(draft, path)
    syncFolder(dataDir)
  } catch (error) {
    if ((error as { code?: string }).code !== 'EEXIST') throw unusable(path, error)
  } finally {
    rmSync(draft, { force: true })
  }
  const key = readKey(path)
  if (key !== undefined) return key
  throw unusable(path, new Error('it was taken away while it was made'))
}

function syncFolder(dataDir: string): void {
  const folder = openSync(dataDir, 'r')
  fsyncSync(folder)
  closeSync(folder)
}

function unusable(path: string, error: unknown): StartError {
  const reason = error instanceof Error ? error.message : String(error)
  return new StartError(
    `The key of the secrets in the database, ${path}, cannot be used (${reason}). ` +
      'Put it back from a backup of the data folder, or set POSTROOM_SECRET_KEY to it.',
    { cause: error },
  )
}
