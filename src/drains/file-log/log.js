// One log of a living process: held by a lock of the system's, so that another one can tell it from a dead one's.
import {
  closeSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  writeSync,
} from 'node:fs'
import { rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { tryLock } from 'fs-native-extensions'

const OWNER_ONLY = 0o600

export function openLog(logs) {
  const { name, fd } = held(logs)
  const path = join(logs, name)
  syncFolder(logs)
  syncFolder(dirname(logs))
  let length = 0
  let torn = false
  const files = new Set()
  /** Puts it back to where it was: whoever reads it stops at a record that is not whole. */
  const orCut = (write) => {
    try {
      return write()
    } catch (error) {
      try {
        ftruncateSync(fd, length)
      } catch {
        torn = true
      }
      throw error
    }
  }
  return {
    name,
    files,
    since: Date.now(),
    length: () => length,
    /** Nothing may be written behind a record that could be neither finished nor taken away. */
    torn: () => torn,
    /** Appends; where that fails the log is as it was. */
    append(pieces) {
      length += orCut(() => writeAt(fd, length, pieces))
    },
    /** Appends what survives a power cut from here on; where that fails the log is as it was. */
    promise(pieces) {
      length += orCut(() => {
        const bytes = writeAt(fd, length, pieces)
        fdatasyncSync(fd)
        return bytes
      })
    },
    /** Its files are on disk: nothing of it is needed any more. */
    async discard() {
      await rm(path, { force: true })
      closeSync(fd)
    },
  }
}

/** A process that starts may find the file before it is locked, take it for a dead one's, and remove it. */
function held(logs) {
  for (;;) {
    const name = `${process.pid}-${crypto.randomUUID()}.log`
    const fd = openSync(join(logs, name), 'wx+', OWNER_ONLY)
    if (tryLock(fd) && fstatSync(fd).nlink > 0) return { name, fd }
    closeSync(fd)
  }
}

function writeAt(fd, start, pieces) {
  const bytes = Buffer.concat(pieces)
  let at = 0
  while (at < bytes.length) at += writeSync(fd, bytes, at, bytes.length - at, start + at)
  return bytes.length
}

function syncFolder(path) {
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
