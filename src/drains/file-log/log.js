// One log of a living process: held by a lock of the system's, so that another one can tell it from a dead one's.
import { closeSync, fdatasyncSync, fsyncSync, ftruncateSync, openSync, writeSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { tryLock } from 'fs-native-extensions'

const OWNER_ONLY = 0o600

export function openLog(logs) {
  const path = join(logs, `${process.pid}-${crypto.randomUUID()}.log`)
  const fd = openSync(path, 'wx+', OWNER_ONLY)
  tryLock(fd)
  syncFolder(logs)
  syncFolder(dirname(logs))
  let length = 0
  const files = new Set()
  return {
    files,
    since: Date.now(),
    length: () => length,
    /** Appends; where that fails the log is as it was. */
    append(pieces) {
      const bytes = Buffer.concat(pieces)
      try {
        let at = 0
        while (at < bytes.length) at += writeSync(fd, bytes, at, bytes.length - at, length + at)
      } catch (error) {
        ftruncateSync(fd, length)
        throw error
      }
      length += bytes.length
    },
    /** Everything that was appended survives a power cut from here on. */
    sync: () => fdatasyncSync(fd),
    /** Its files are on disk: nothing of it is needed any more. */
    async discard() {
      await rm(path, { force: true })
      closeSync(fd)
    },
  }
}

function syncFolder(path) {
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
