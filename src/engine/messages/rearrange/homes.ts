// Which mails that came into a joined thread belong to which of its parts. Pure.
import type { MessageId } from '../../ids.ts'
import type { MessageRow } from '../message.ts'

export type Link = Pick<MessageRow, 'id' | 'message_id_header' | 'match_evidence'>

/** A mail of ours that an address or a signed Message-ID names: its suffix stands in it. */
const NAMED = /(?:^<|\+t-)([0-7][0-9a-hjkmnp-tv-z]{25})/i

/**
 * The part that was joined, with what came since and answers it, also over others that came since.
 * @param messages of the whole thread, oldest first
 * @param joined ids of the part as it was when it was joined
 * @param settled ids of everything that was there then
 */
export function partWithAnswers(
  messages: readonly Link[],
  joined: ReadonlySet<MessageId>,
  settled: ReadonlySet<MessageId>,
): MessageId[] {
  const byHeader = new Map(messages.map(({ id, message_id_header }) => [message_id_header, id]))
  const part = new Set(joined)
  for (const { id, match_evidence } of messages) {
    if (settled.has(id) || match_evidence === null) continue
    const answered = byHeader.get(match_evidence) ?? namedIn(match_evidence)
    if (answered !== undefined && part.has(answered)) part.add(id)
  }
  return messages.map(({ id }) => id).filter((id) => part.has(id))
}

/** Mail of ours names the message that it answers by our own id. */
function namedIn(evidence: string): MessageId | undefined {
  if (isMessageId(evidence)) return evidence
  const suffix = NAMED.exec(evidence)?.[1]?.toLowerCase()
  return suffix === undefined ? undefined : `msg_${suffix}`
}

const isMessageId = (text: string): text is MessageId => text.startsWith('msg_')
