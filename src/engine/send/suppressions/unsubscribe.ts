// Unsubscribing with one click: the link that a mail carries on request, and what becomes of whoever follows it. RFC 2369, RFC 8058.
import { createHmac, timingSafeEqual } from 'node:crypto'
import { idSuffix, isId, newId } from '../../../platform/ids.ts'
import { newEvent } from '../../events.ts'
import type { InboxId, MessageId, OrgId } from '../../ids.ts'
import type { MessageRow } from '../../messages/message.ts'
import type { Engine } from '../../ports.ts'
import { remember } from './remember.ts'

/** Under PUBLIC_URL; the token follows. */
export const UNSUBSCRIBE_PATH = '/unsubscribe'

const SUFFIX = 26
/** 120 bits of base64url. */
const SIGNATURE = 20
const TOKEN = /^[0-9a-z]{52}[\w-]{20}$/

/** The mail a link stands in. The mail has one recipient, so it says who unsubscribes. */
interface Linked {
  orgId: OrgId
  inboxId: InboxId
  messageId: MessageId
}

/** Whom an unsubscription is about. */
export interface Subscription {
  ours: MessageRow
  email: string
  /** The inbox that shall stop. */
  address: string
}

/**
 * The fields that offer it; both belong under the DKIM signature (RFC 8058 §4). Only an https PUBLIC_URL makes
 * mail programs show the button.
 * @param secret of the organization
 */
export function unsubscribeHeaders(publicUrl: string, secret: string, mail: Linked) {
  const token = `${idSuffix(mail.orgId)}${idSuffix(mail.messageId)}${signature(secret, mail)}`
  return {
    'List-Unsubscribe': `<${publicUrl}${UNSUBSCRIBE_PATH}/${token}>`,
    'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
  }
}

/** What a token was made for; undefined where it was not made here, or its inbox is gone. */
export async function subscriptionOf(
  { db }: Pick<Engine, 'db'>,
  token: string,
): Promise<Subscription | undefined> {
  if (!TOKEN.test(token)) return undefined
  const orgId = `org_${token.slice(0, SUFFIX)}`
  const messageId = `msg_${token.slice(SUFFIX, 2 * SUFFIX)}`
  if (!isId('org', orgId) || !isId('msg', messageId)) return undefined
  const [row] = await db.query<MessageRow & { reply_secret: string; address: string }>(
    `SELECT m.*, o.reply_secret, i.address FROM messages m
     JOIN organizations o ON o.id = m.org_id
     JOIN inboxes i ON i.org_id = m.org_id AND i.id = m.inbox_id AND i.deleted_at IS NULL
     WHERE m.org_id = $1 AND m.id = $2`,
    [orgId, messageId],
    'subscription_of',
  )
  if (row === undefined) return undefined
  const { reply_secret, address, ...ours } = row
  const right = signature(reply_secret, { orgId, inboxId: ours.inbox_id, messageId })
  const given = token.slice(2 * SUFFIX)
  const [email] = ours.envelope.rcpt_to
  if (email === undefined || !timingSafeEqual(Buffer.from(given), Buffer.from(right))) {
    return undefined
  }
  return { ours, email, address }
}

/** Writes it down; safe to repeat. The inbox of the mail does not write there any more, others may. */
export async function unsubscribe(
  { db, clock, blobs }: Pick<Engine, 'db' | 'clock' | 'blobs'>,
  ours: Pick<MessageRow, 'org_id' | 'inbox_id' | 'thread_id' | 'id'>,
  email: string,
): Promise<void> {
  const now = clock.now()
  const suppression = {
    id: newId('sup', now),
    email: email.toLowerCase(),
    kind: 'unsubscribe',
    inbox_id: ours.inbox_id,
    reason: 'unsubscribed',
    message_id: ours.id,
  }
  await remember({ db, blobs }, ours.org_id, [suppression], now)
  const about = {
    orgId: ours.org_id,
    inboxId: ours.inbox_id,
    threadId: ours.thread_id,
    messageId: ours.id,
    data: { recipients: [email] },
  }
  await db.query(
    `WITH silenced AS (
       INSERT INTO suppressions
       SELECT * FROM jsonb_populate_record(NULL::suppressions, $1)
       ON CONFLICT DO NOTHING RETURNING 1
     )
     INSERT INTO events (org_id, id, event, inbox_id, thread_id, message_id, data, created_at)
     SELECT e.org_id, e.id, e.event, e.inbox_id, e.thread_id, e.message_id, e.data, e.created_at
     FROM jsonb_populate_record(NULL::events, $2) AS e, silenced`,
    [
      JSON.stringify({ ...suppression, org_id: ours.org_id, created_at: now }),
      JSON.stringify(newEvent('email.unsubscribed', about, now)),
    ],
    'unsubscribe',
  )
}

function signature(secret: string, { orgId, inboxId, messageId }: Linked): string {
  return createHmac('sha256', Buffer.from(secret, 'hex'))
    .update(['unsubscribe', orgId, inboxId, messageId].join(' '))
    .digest('base64url')
    .slice(0, SIGNATURE)
}
