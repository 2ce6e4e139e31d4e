import { Duplex } from 'node:stream'
import type { MessagePort } from 'node:worker_threads'

/** What node-postgres takes for its socket: the bytes go over a MessagePort to the database. */
export class PortStream extends Duplex {
  #port: MessagePort | undefined
  readonly #dial: () => Promise<MessagePort>

  constructor(dial: () => Promise<MessagePort>) {
    super({ allowHalfOpen: false })
    this.#dial = dial
  }

  connect(): this {
    this.#dial().then(
      (port) => this.#attach(port),
      (error: unknown) => this.destroy(error instanceof Error ? error : new Error(String(error))),
    )
    return this
  }

  setNoDelay(): this {
    return this
  }

  setKeepAlive(): this {
    return this
  }

  ref(): this {
    this.#port?.ref()
    return this
  }

  unref(): this {
    this.#port?.unref()
    return this
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#send(new Uint8Array(chunk))
    done()
  }

  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    this.#send(new Uint8Array(Buffer.concat(chunks.map(({ chunk }) => chunk))))
    done()
  }

  override _final(done: () => void): void {
    this.#port?.close()
    done()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#port?.close()
    done(error)
  }

  /** The copy is handed over, not cloned: a pooled Buffer would drag its whole pool along. */
  #send(bytes: Uint8Array<ArrayBuffer>): void {
    this.#port?.postMessage(bytes, [bytes.buffer])
  }

  #attach(port: MessagePort): void {
    if (this.destroyed) {
      port.close()
      return
    }
    this.#port = port
    port.on('message', (bytes: Uint8Array) => this.push(Buffer.from(bytes.buffer)))
    port.on('close', () => this.push(null))
    this.emit('connect')
  }
}
