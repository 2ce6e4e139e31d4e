/** Connections to the database: one turnstile before them, every parameter free of U+0000. */
import pg from 'pg'
import { withoutNul } from './nul.ts'
import type { Turnstile } from './turnstile.ts'

type Done = (error?: Error | boolean) => void
type Connected = (error: Error | undefined, client: pg.PoolClient | undefined, done: Done) => void

/** A pg.Pool whose single connection goes to urgent work first, Prisma's transactions included. */
export class OrderedPool extends pg.Pool {
  readonly #turnstile: Turnstile

  constructor(config: pg.PoolConfig, turnstile: Turnstile) {
    super({ ...config, Client: CleanClient })
    this.#turnstile = turnstile
  }

  override connect(): Promise<pg.PoolClient>
  override connect(callback: Connected): void
  override connect(callback?: Connected): Promise<pg.PoolClient> | undefined {
    const client = this.take(false)
    if (!callback) return client
    client.then(
      (taken) => callback(undefined, taken, (error) => taken.release(error)),
      (error: Error) => callback(error, undefined, () => {}),
    )
    return undefined
  }

  async take(urgent: boolean): Promise<pg.PoolClient> {
    await this.#turnstile.enter(urgent)
    try {
      const client = await super.connect()
      const release = client.release
      client.release = (error) => {
        release.call(client, error)
        this.#turnstile.leave()
      }
      return client
    } catch (error) {
      this.#turnstile.leave()
      throw error
    }
  }
}

/** PostgreSQL refuses U+0000 in text and JSON; Prisma's statements pass here as ours do. */
export class CleanClient extends pg.Client {
  constructor(config?: pg.ClientConfig) {
    super(config)
    // A connection that breaks in use fails its statement; unheard, its event would end the process.
    this.on('error', () => {})
  }

  // biome-ignore lint/suspicious/noExplicitAny: node-postgres declares nine overloads of `query`
  override query(config: any, values?: any, callback?: any): any {
    if (Array.isArray(config?.values)) config.values = withoutNul(config.values)
    return super.query(
      config,
      Array.isArray(values) ? (withoutNul(values) as []) : values,
      callback,
    )
  }
}
