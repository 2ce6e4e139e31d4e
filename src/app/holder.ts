// The house of a process that holds the data folder: the run socket first, then everything behind it.
import { type App, createApp, type StartOptions } from '../app.ts'
import type { Config } from '../config.ts'
import { answerCommand } from '../doors/cli/dial.ts'
import { listenForRuns, type RunSocketDoors } from '../doors/cli/run-socket.ts'
import type { HeldFolder } from '../platform/lock.ts'
import type { Log } from '../platform/log.ts'
import { serveGreeted } from './mcp-door.ts'
import { httpUrl } from './settings.ts'

export interface House {
  /** Open and listening; rejects where the start failed. */
  ready: Promise<App>
  stop(): Promise<void>
}

interface HouseOptions extends StartOptions {
  log: Log
}

/**
 * Opens the house in a folder that is held. The run socket listens before the database opens: who
 * comes early waits for `ready`. With DATABASE_URL there is neither lock nor run socket.
 */
export function openHouse(
  config: Config,
  lock: HeldFolder | undefined,
  { log, ...options }: HouseOptions,
): House {
  const closing: (() => Promise<void>)[] = []
  const open = async () => {
    if (lock !== undefined) {
      const socket = await listenForRuns(
        config.dataDir,
        doorsOf(config, () => ready),
      )
      lock.update({ socket: socket.path })
      closing.push(() => socket.close())
    }
    const app = await createApp(config, { log })
    closing.push(() => app.stop())
    await app.start(options)
    if (app.addresses.http) lock?.update({ address: httpUrl(app.addresses.http) })
    return app
  }
  const ready = open()
  let stopping: Promise<void> | undefined
  const stop = async () => {
    await ready.catch(() => undefined)
    for (const close of closing) await close()
    lock?.release()
  }
  return {
    ready,
    stop() {
      stopping ??= stop()
      return stopping
    },
  }
}

function doorsOf(config: Config, ready: () => Promise<App>): RunSocketDoors {
  return {
    mcp: (socket, greeting) => serveGreeted(socket, greeting, { config, ready }),
    async cli(socket, { door: _, ...asked }) {
      const { runInHouse } = await import('./command-here.ts')
      await answerCommand(socket, (output, signal) =>
        runInHouse({ ...asked, ...output, signal }, { config, ready }),
      )
    },
  }
}
