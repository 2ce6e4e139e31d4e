/** An agent's client before an organization that gets mail, and what its results look like. */
import { expect } from 'vitest'
import { createInbox } from '../../src/engine/inboxes/operations.ts'
import { type EngineWorld, engineWorld } from './engine.ts'
import { type Mcp, mailbox, objectOf, overStreams, type Told, textOf } from './mcp.ts'

export interface Receipt {
  total: number
  returned: number
  omitted: number
  omitted_ids?: string[]
  next_cursor?: string
  estimated_tokens: number
  complete: boolean
  now: string
}
export interface Threads {
  data: { thread_id: string; subject: string; [field: string]: unknown }[]
  checked_through: string
  receipt: Receipt
}
export interface Conversation {
  note: string
  thread: Record<string, unknown>
  messages: { message_id: string; text: string; [field: string]: unknown }[]
  last_message_id: string
  latest_inbound_at: string
  checked_through: string
  receipt: Receipt
  note_after: string
}

export interface Mailroom extends EngineWorld {
  client: Mcp
  mail: ReturnType<typeof mailbox>
  /** The address of one more inbox. */
  newInbox(): Promise<string>
  /** A conversation of `count` mails with bodies of `words` words each; the thread's id. */
  conversation(inbox: string, count: number, words: number): Promise<string>
  read(args: Record<string, unknown>): Promise<Conversation>
}

export async function openMailroom(): Promise<Mailroom> {
  const world = await engineWorld()
  const mail = mailbox(world.engine)
  const client = await overStreams('modern', world.engine, world.agent)
  let made = 0
  return {
    ...world,
    client,
    mail,
    async newInbox() {
      made += 1
      const wish = { username: `inbox${made}` }
      return (await createInbox.run(world.engine, world.owner, wish)).address
    },
    async conversation(inbox, count, words) {
      for (let i = 0; i < count; i += 1) {
        const reply = i === 0 ? '' : `In-Reply-To: <${inbox}-0@example.com>\n`
        const body = `Part ${i}. ${'word '.repeat(words)}`
        await mail(inbox, headers(inbox, `${inbox}-${i}`, 'Long story', reply), body)
      }
      const { data } = objectOf<Threads>(await client.call('list_threads', { inbox_id: inbox }))
      return data[0]?.thread_id ?? ''
    },
    read: async (args) => objectOf<Conversation>(await client.call('get_thread_messages', args)),
    async close() {
      await client.close()
      await world.close()
    },
  }
}

export const headers = (to: string, id: string, subject = `Order ${id}`, more = '') =>
  `From: Ann <ann@example.com>\nTo: ${to}\nSubject: ${subject}\nMessage-ID: <${id}@example.com>\n${more}`

function leaves(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [String(value)]
  return Object.values(value).flatMap(leaves)
}

/** Names of fields, and the words of the lines that are no data. */
const WORDS_OF_LINES = /\b(none|messages?|last)\b/g

/** Every leaf of the object stands in the text, every word of the text in the object. */
export function saysTheSame(told: Told): void {
  const text = textOf(told)
  for (const leaf of leaves(told.structuredContent)) expect(text).toContain(leaf)
  const said = leaves(told.structuredContent).join('\n')
  const words = text
    .replace(/^-? ?(\w+):/gm, ' ')
    .replace(/\b[a-z]\w*: /g, ' ')
    .replace(WORDS_OF_LINES, ' ')
    .split(/[\s·|{}(),"]+/)
  for (const word of words.filter((one) => /\w{2,}/.test(one))) {
    expect(said).toContain(word.replace(/:$/, ''))
  }
}
