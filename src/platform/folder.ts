/** The data folder: everything that must outlive the process, readable by its owner alone. */
import { accessSync, constants, mkdirSync } from 'node:fs'
import { StartError } from './start-error.ts'

/** Makes the folder (0700) where there is none; a StartError where it cannot be written. */
export function makeDataFolder(dataDir: string): void {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 })
    accessSync(dataDir, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    throw unwritable(dataDir, error)
  }
}

export function unwritable(dataDir: string, error: unknown): StartError {
  const reason = error instanceof Error ? error.message : String(error)
  return new StartError(
    `POSTROOM_DATA: the folder ${dataDir} cannot be used (${reason}). ` +
      'Give this user write access to it, or name another folder in POSTROOM_DATA.',
    { cause: error },
  )
}
