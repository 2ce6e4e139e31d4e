// Sleep that anybody may end. A wake that comes while nobody sleeps ends the next sleep at once.
import type { Clock } from '../../platform/clock.ts'

export class Alarm {
  readonly #clock: Clock
  #rung = false
  #rise: () => void = () => {}

  constructor(clock: Clock) {
    this.#clock = clock
  }

  ring(): void {
    this.#rung = true
    this.#rise()
  }

  /** From here on only later rings count. */
  reset(): void {
    this.#rung = false
  }

  /** Resolves after `ms` milliseconds, or at the first ring since `reset`. */
  sleep(ms: number): Promise<void> {
    if (this.#rung) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = this.#clock.after(ms, resolve)
      this.#rise = () => {
        timer.cancel()
        resolve()
      }
    })
  }
}
