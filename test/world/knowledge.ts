/** An organization with inboxes on a database of its own, for tests of the knowledge base. */
import { randomUUID } from 'node:crypto'
import { fileBlobs } from '../../src/drains/files.ts'
import type { Caller, Scope } from '../../src/engine/caller.ts'
import { eraseDocument } from '../../src/engine/documents/delete.ts'
import { uploadDocument } from '../../src/engine/documents/operations.ts'
import { readDocument } from '../../src/engine/documents/read.ts'
import type { InboxId, OrgId } from '../../src/engine/ids.ts'
import { createWorker } from '../../src/engine/jobs/worker.ts'
import type { Engine } from '../../src/engine/ports.ts'
import { type Database, openDatabase } from '../../src/platform/database.ts'
import { newId } from '../../src/platform/ids.ts'
import { createLog } from '../../src/platform/log.ts'
import { heldClock } from './clock.ts'
import { freshDatabase } from './database.ts'

const START = '2026-03-01T09:00:00Z'
const SCOPES: Scope[] = ['inbox:read', 'inbox:write', 'org:admin']

export async function openKnowledge() {
  const fresh = await freshDatabase()
  const log = createLog({ level: 'warn' })
  const db = await openDatabase({ ...fresh, log })
  const clock = heldClock(START)
  const parts = { db, clock, log, blobs: fileBlobs(fresh.dataDir), jobs: { wake() {} } }
  // The operations of the knowledge base use these parts and no other.
  const engine = parts as unknown as Engine
  const handlers = {
    'documents.read': readDocument(engine),
    'documents.erase': eraseDocument(engine),
  }
  const worker = createWorker({ db, clock, log, handlers })
  const orgId = newId('org', clock.now())
  const caller: Caller = {
    orgId,
    keyId: null,
    name: 'test',
    scopes: SCOPES,
    inboxIds: null,
    agent: false,
  }
  return {
    db,
    engine,
    clock,
    caller,
    settle: () => worker.settle(),
    newInbox: () => newInbox(db, orgId, clock.now()),
    async upload(
      inboxId: InboxId,
      filename: string,
      content: string | Uint8Array<ArrayBuffer>,
      name?: string,
    ) {
      const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content
      const input = { inbox_id: inboxId, filename, bytes, ...(name === undefined ? {} : { name }) }
      return uploadDocument.run(engine, caller, input)
    },
    async close() {
      await worker.stop()
      await db.close()
      await fresh.remove()
    },
  }
}

export type Knowledge = Awaited<ReturnType<typeof openKnowledge>>

async function newInbox(db: Database, orgId: OrgId, now: Date): Promise<InboxId> {
  const id = newId('inb', now)
  const localPart = randomUUID()
  await db.prisma.inboxes.create({
    data: {
      org_id: orgId,
      id,
      address: `${localPart}@example.test`,
      local_part: localPart,
      domain: 'example.test',
      webhook_secret: 'whsec_dGVzdA==',
      created_at: now,
    },
  })
  return id
}
