/** What can be done with drafts of an inbox, by the owner where nobody else is named. */
import type { Caller } from '../../../src/engine/caller.ts'
import {
  createDraft,
  deleteDraft,
  getDraft,
  listDrafts,
  sendDraft,
  updateDraft,
} from '../../../src/engine/send/drafts/operations.ts'
import type { SendWorld, TestInbox } from './send-world.ts'

export const MINUTE = 60_000

export function draftsIn({ engine, owner, clock }: SendWorld, inbox: TestInbox) {
  return {
    draft: (over: object = {}, caller: Caller = owner) =>
      createDraft.run(
        engine,
        caller,
        createDraft.input.parse({
          inbox_id: inbox.id,
          to: 'ann@x.test',
          subject: 'Offer',
          text_body: 'Here it is.',
          ...over,
        }),
      ),
    get: (draft_id: string) => getDraft.run(engine, owner, { draft_id }),
    change: (draft_id: string, changes: object, caller: Caller = owner) =>
      updateDraft.run(engine, caller, updateDraft.input.parse({ draft_id, ...changes })),
    send: (draft_id: string, over: object = {}, caller: Caller = owner) =>
      sendDraft.run(engine, caller, { draft_id, ...over }),
    discard: (draft_id: string) => deleteDraft.run(engine, owner, { draft_id }),
    list: (over: object = {}, caller: Caller = owner) =>
      listDrafts.run(engine, caller, listDrafts.input.parse({ inbox_id: inbox.id, ...over })),
    /** So many minutes from now, as callers write it. */
    later: (minutes: number) => new Date(clock.now().getTime() + minutes * MINUTE).toISOString(),
  }
}
