// Child processes that look through what is large: whatever a file does to its reader, it does it to no one else.
import { type ChildProcess, fork } from 'node:child_process'
import type { Content, Looked } from './look.ts'

/** The compiled child, also where the sources run as they are (the tests): Node.js 20 reads no TypeScript. */
const CHILD = new URL('../../../../dist/engine/send/leak/looking-child.js', import.meta.url)

export interface Limits {
  /** For all of one mail, from the moment that a child has it. Milliseconds. */
  deadlineMs: number
  /** Of a child's heap: a thread that runs out of it may take the process along, a child does not. */
  heapMb: number
  children: number
  /** A child that nobody needs ends. Milliseconds. */
  idleMs: number
}

export interface Lookers {
  /** One answer for each place, in their order; it does not reject. */
  look(contents: readonly Content[], words: readonly string[]): Promise<Looked[]>
}

interface Job {
  contents: readonly Content[]
  words: readonly string[]
}

interface Answers {
  looked: Looked[]
  /** Why there are fewer than places. */
  failed?: string
}

export function createLookers(limits: Limits): Lookers {
  const idle: { child: ChildProcess; enough: NodeJS.Timeout }[] = []
  const waiting: (() => void)[] = []
  let free = limits.children

  async function seat(): Promise<void> {
    if (free > 0) free -= 1
    else await new Promise<void>((resolve) => waiting.push(resolve))
  }

  function leave(): void {
    const next = waiting.shift()
    if (next) next()
    else free += 1
  }

  function rest(child: ChildProcess): void {
    hold(child, false)
    const enough = setTimeout(() => child.kill('SIGKILL'), limits.idleMs).unref()
    idle.push({ child, enough })
  }

  function take(): ChildProcess {
    const found = idle.pop()
    if (found === undefined) return start(limits)
    clearTimeout(found.enough)
    // Ended while it had nothing to do.
    if (!found.child.connected) return take()
    hold(found.child, true)
    return found.child
  }

  async function serve(job: Job): Promise<Answers> {
    const child = take()
    const answers = await answersOf(child, job, limits.deadlineMs)
    if (answers.failed === undefined) rest(child)
    else child.kill('SIGKILL')
    return answers
  }

  return {
    async look(contents, words) {
      if (contents.length === 0) return []
      await seat()
      // The system may refuse a process.
      const { looked, failed = BROKEN } = await serve({ contents, words }).catch(nothing)
      leave()
      return contents.map((_, at) => looked[at] ?? { names: [], unread: [failed] })
    },
  }
}

const nothing = (): Answers => ({ looked: [] })

const BROKEN = 'its reading broke off, for want of memory or because it is damaged'

/** It needs nothing of our environment, and says nothing where frames of MCP may go. */
function start({ heapMb }: Limits): ChildProcess {
  const child = fork(CHILD, {
    env: {},
    execArgv: [`--max-old-space-size=${heapMb}`],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  // One that is idle may be killed from outside; one at work is listened to there.
  child.on('error', () => undefined)
  return child
}

/** Only while it works it keeps the process from ending. */
function hold(child: ChildProcess, atWork: boolean): void {
  if (atWork) child.ref()
  else child.unref()
  if (atWork) child.channel?.ref()
  else child.channel?.unref()
}

/** What came until all were answered, the deadline passed or the child ended. */
function answersOf(child: ChildProcess, job: Job, deadlineMs: number) {
  return new Promise<Answers>((resolve) => {
    const looked: Looked[] = []
    const late = `it takes longer than ${deadlineMs / 1000} s`
    const deadline = setTimeout(() => settle(late), deadlineMs)
    const onEnd = () => settle(BROKEN)
    const onMessage = (answer: Looked) => {
      looked.push(answer)
      if (looked.length === job.contents.length) settle()
    }
    const settle = (failed?: string) => {
      clearTimeout(deadline)
      child.off('message', onMessage).off('exit', onEnd).off('error', onEnd)
      resolve({ looked, ...(failed === undefined ? {} : { failed }) })
    }
    child.on('message', onMessage).on('exit', onEnd).on('error', onEnd)
    child.send(job, (error) => error && settle(BROKEN))
  })
}

/** One set for the process: a child keeps nothing of a mail, and begins and ends by itself. */
export const lookers = createLookers({
  deadlineMs: 30_000,
  heapMb: 512,
  children: 2,
  idleMs: 60_000,
})
