/** An inbox whose threads are joined and divided, and everything that this could change. */
import type { MessageRow } from '../../../src/engine/messages/message.ts'
import { getThread } from '../../../src/engine/messages/operations.ts'
import {
  mergeThreads,
  splitThread,
  undoThread,
} from '../../../src/engine/messages/rearrange/operations.ts'
import type { ThreadRow } from '../../../src/engine/messages/thread.ts'
import { sendWorld, type TestInbox } from '../send/send-world.ts'

export async function rearrangeWorld() {
  const world = await sendWorld()
  const { engine, owner } = world
  /** What was written into the journal, besides the file. */
  const journal: object[] = []
  const { journal: write } = engine.blobs
  engine.blobs.journal = async (orgId, entry) => {
    await write(orgId, entry)
    journal.push(entry)
  }
  let inbox: TestInbox
  /** Message-IDs differ from test to test. */
  let n = 0

  const self = {
    ...world,
    journal,
    async fresh() {
      n += 1
      inbox = await world.inbox()
    },
    get box() {
      return inbox
    },
    get turn() {
      return n
    },
    idOf: (name: string) => `<${name}${n}@x.test>`,
    /** A mail that answers the one named, a minute later. */
    async mail(name: string, answers?: string, more: string[] = []) {
      world.clock.advance(60_000)
      const tie = answers === undefined ? [] : [`In-Reply-To: ${self.idOf(answers)}`]
      return world.mail(inbox, `${name}${n}`, [...tie, ...more])
    },
    /** A mail with this id, now. */
    bare: (id: string, headers: string[] = []) => world.mail(inbox, id, headers),
    thread: (thread_id: string) => getThread.run(engine, owner, { thread_id }),
    merge: (into_thread_id: string, thread_id: string) =>
      mergeThreads.run(engine, owner, { inbox_id: inbox.id, into_thread_id, thread_id }),
    split: (thread_id: string, message_id: string) =>
      splitThread.run(engine, owner, { inbox_id: inbox.id, thread_id, message_id }),
    undo: (thread_id: string) => undoThread.run(engine, owner, { inbox_id: inbox.id, thread_id }),
    read: (id: string, is_read: boolean) =>
      engine.db.query('UPDATE threads SET is_read = $2 WHERE id = $1', [id, is_read]),
    rows: async () => ({
      threads: await engine.db.query<ThreadRow>(
        'SELECT * FROM threads WHERE inbox_id = $1 ORDER BY id',
        [inbox.id],
      ),
      messages: await engine.db.query<Pick<MessageRow, 'id' | 'thread_id'>>(
        'SELECT id, thread_id FROM messages WHERE inbox_id = $1 ORDER BY id',
        [inbox.id],
      ),
    }),
    /** The rows without what no caller sees. */
    async shown() {
      const { threads, messages } = await self.rows()
      return { threads: threads.map(({ kept_apart_from: _, ...row }) => row), messages }
    },
    subjects: (whole: { messages: { subject: string }[] }) =>
      whole.messages.map(({ subject }) => subject.replace('Order ', '').replace(String(n), '')),
  }
  return self
}

export type RearrangeWorld = Awaited<ReturnType<typeof rearrangeWorld>>
