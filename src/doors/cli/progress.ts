// How far a long command has come: a line on a terminal that is drawn again and again, and nothing elsewhere.
import type { CommandContext } from './command.ts'

/** Often enough to be seen moving. */
const REDRAW_MS = 200
const BAR = 24
const SECOND_MS = 1_000
const LINE_START = '\r\u001b[K'

export interface Progress {
  /** @param part of the whole, 0 to 1; @param count of what is counted */
  at(part: number, count: number): void
  /** Takes the line away. Returns what the command ends with: `1,234 mails in 3.2 s (385/s)`. */
  end(count: number): string
}

/** @param noun what is counted, in the plural */
export function startProgress(
  { terminal, err }: Pick<CommandContext, 'terminal' | 'err'>,
  noun: string,
): Progress {
  const started = performance.now()
  let drawn = 0
  const seconds = () => Math.max(performance.now() - started, 1) / SECOND_MS
  return {
    at(part, count) {
      if (!terminal || performance.now() - drawn < REDRAW_MS) return
      drawn = performance.now()
      err(`${LINE_START}${line(part, count, noun, seconds())}`)
    },
    end(count) {
      if (terminal) err(LINE_START)
      const rate = Math.round(count / seconds()).toLocaleString('en')
      return `${count.toLocaleString('en')} ${noun} in ${seconds().toFixed(1)} s (${rate}/s)`
    },
  }
}

function line(part: number, count: number, noun: string, seconds: number): string {
  const done = Math.min(1, Math.max(0, part))
  const full = Math.round(done * BAR)
  const bar = `${'█'.repeat(full)}${'░'.repeat(BAR - full)}`
  const rate = Math.round(count / seconds).toLocaleString('en')
  const left = done > 0 ? `, ${duration((seconds * (1 - done)) / done)} left` : ''
  const percent = `${Math.floor(done * 100)}%`.padStart(4)
  return `${bar} ${percent}  ${count.toLocaleString('en')} ${noun}, ${rate}/s${left}`
}

function duration(seconds: number): string {
  const whole = Math.ceil(seconds)
  if (whole < 60) return `${whole} s`
  const minutes = Math.ceil(whole / 60)
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}
