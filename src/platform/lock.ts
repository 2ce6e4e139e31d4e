/** One process holds a data folder: a lock of the system's, gone the moment the process is. */
import { closeSync, constants, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { tryLock } from 'fs-native-extensions'
import { makeDataFolder, unwritable } from './folder.ts'

/** Who holds a folder, as noted in its lock file. */
export interface Holder {
  pid: number
  folder: string
  /** Where the holder answers over HTTP. */
  address: string
  /** Where it listens for commands and relays, once it does. */
  socket?: string
}

export interface HeldFolder {
  held: true
  /** Notes what became known after the lock was taken. */
  update(info: Partial<Pick<Holder, 'address' | 'socket'>>): void
  release(): void
}

export interface LockOptions {
  address: string
  /** How long to try again where another process holds the folder. */
  patienceMs?: number
}

const PATIENCE_MS = 1_500
const RETRY_MS = 50
/** The locked byte lies behind the note: Windows refuses to read a locked range. */
const LOCKED_AT = 64 * 1024
const UNKNOWN_PID = 0

/** Takes the folder, or says who holds it. The folder is made where there is none. */
export async function holdFolder(
  dataDir: string,
  { address, patienceMs = PATIENCE_MS }: LockOptions,
): Promise<HeldFolder | { held: false; holder: Holder }> {
  makeDataFolder(dataDir)
  const path = join(dataDir, 'lock')
  const fd = openLockFile(dataDir, path)
  const deadline = performance.now() + patienceMs
  while (!take(fd)) {
    if (performance.now() >= deadline) {
      closeSync(fd)
      return { held: false, holder: readHolder(path, dataDir) }
    }
    await wait(RETRY_MS)
  }
  return hold(fd, { pid: process.pid, folder: dataDir, address })
}

function openLockFile(dataDir: string, path: string): number {
  try {
    return openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600)
  } catch (error) {
    throw unwritable(dataDir, error)
  }
}

/** macOS locks whole files only; its locks do not hinder reading. */
function take(fd: number): boolean {
  return process.platform === 'darwin' ? tryLock(fd) : tryLock(fd, LOCKED_AT, 1)
}

function hold(fd: number, holder: Holder): HeldFolder {
  let open = true
  const note = (text: string) => {
    writeSync(fd, text, 0)
    ftruncateSync(fd, Buffer.byteLength(text))
  }
  note(JSON.stringify(holder))
  return {
    held: true,
    update(info) {
      Object.assign(holder, info)
      if (open) note(JSON.stringify(holder))
    },
    release() {
      if (!open) return
      open = false
      note('')
      closeSync(fd)
    },
  }
}

/** A note that cannot be read (it is just being written) still leaves the folder to be named. */
function readHolder(path: string, folder: string): Holder {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Holder
  } catch {
    return { pid: UNKNOWN_PID, folder, address: 'unknown' }
  }
}
