// A draft in a result: a line of a list, or alone with what would become of it.
import type { Draft, JudgedDraft } from '../../engine/send/drafts/draft.ts'
import { filled, type JsonObject } from './answer.ts'
import { people, person } from './people.ts'
import { toMinute, toSecond } from './times.ts'
import type { Call } from './tool.ts'

/** @param several whether the inbox must be said: the caller sees several */
export function draftRow(
  { fence }: Pick<Call, 'fence'>,
  draft: Draft,
  several: boolean,
): JsonObject {
  return filled({
    draft_id: draft.id,
    inbox_id: several ? draft.inbox_id : undefined,
    thread_id: draft.thread_id,
    kind: draft.kind,
    to: people(fence, draft.to),
    subject: fence.short(draft.subject),
    text: startOf(fence, draft),
    send_at: draft.send_at && toMinute(draft.send_at),
    updated_at: toMinute(draft.updated_at),
  })
}

export function judgedDraft({ fence }: Pick<Call, 'fence'>, draft: JudgedDraft): JsonObject {
  const { verdict, would_have_been, reasons } = draft.would
  return filled({
    ...draftRow({ fence }, draft, true),
    from: draft.from && person(fence, draft.from),
    cc: people(fence, draft.cc),
    bcc: people(fence, draft.bcc),
    send_at: draft.send_at && toSecond(draft.send_at),
    updated_at: toSecond(draft.updated_at),
    would: filled({ verdict, would_have_been, reasons: reasons.map((reason) => filled(reason)) }),
  })
}

/** In one line; a draft of HTML alone has its words in its subject. */
const startOf = (fence: Call['fence'], { text_body, markdown_body }: Draft) =>
  fence.short(text_body ?? markdown_body ?? '') || undefined
