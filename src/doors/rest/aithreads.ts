// The routes of the AIThreads dialect: snake_case under /v1. A new operation costs one line here.
import { listAudit } from '../../engine/access/audit.ts'
import { createKey, listKeys, revokeKey, whoAmI } from '../../engine/access/operations.ts'
import { updateOrganization } from '../../engine/access/organization.ts'
import {
  deleteDocument,
  getContext,
  getDocument,
  listDocuments,
  searchDocuments,
  uploadDocument,
} from '../../engine/documents/operations.ts'
import {
  addDomain,
  deleteDomain,
  getDomain,
  listDomains,
  rotateDomain,
  verifyDomain,
} from '../../engine/domains/operations.ts'
import {
  getAllowList,
  getBlockList,
  putAllowList,
  putBlockList,
} from '../../engine/inboxes/lists.ts'
import {
  createInbox,
  deleteInbox,
  getInbox,
  listInboxes,
  updateInbox,
} from '../../engine/inboxes/operations.ts'
import {
  getMessage,
  getRawMessage,
  getThread,
  listMessages,
  listThreadMessages,
  listThreads,
} from '../../engine/messages/operations.ts'
import {
  mergeThreads,
  splitThread,
  undoThread,
} from '../../engine/messages/rearrange/operations.ts'
import { listDeliveries } from '../../engine/notify/operations.ts'
import { getAttachment, uploadAttachment } from '../../engine/send/attached/operations.ts'
import { checkMessage } from '../../engine/send/check.ts'
import {
  createDraft,
  deleteDraft,
  getDraft,
  listDrafts,
  sendDraft,
  updateDraft,
} from '../../engine/send/drafts/operations.ts'
import { clearHealth, getHealth } from '../../engine/send/health/operations.ts'
import { sendMessage } from '../../engine/send/operations.ts'
import {
  approveReview,
  getReview,
  listReviews,
  rejectReview,
} from '../../engine/send/reviews/operations.ts'
import { cancelMessage, rescheduleMessage } from '../../engine/send/schedule/operations.ts'
import { deleteSuppression, listSuppressions } from '../../engine/send/suppressions/operations.ts'
import { fileAnswer } from './file-answer.ts'
import { type Answer, type Route, route, type Upload } from './route.ts'
import { sent } from './sent.ts'

const MIB = 1024 * 1024
/** 20 MB for the file, the rest for the form around it. */
const UPLOAD_LIMIT = 21 * MIB
/** 25 MB of mail, a third more as base64, and room for the JSON around it. */
const SEND_LIMIT = 40 * MIB

const ALL = '/v1/agent'
const INBOXES = `${ALL}/inboxes`
const INBOX = `${INBOXES}/:inbox_id`
const ORGANIZATION = '/v1/organizations/:org_id'

const BODIES = { text: 'text_body', html: 'html_body' }
const documentId = { aliases: { doc_id: 'document_id' } }

export const AITHREADS: readonly Route[] = [
  route('GET', '/v1/auth/me', whoAmI),
  route('PATCH', ORGANIZATION, updateOrganization),
  route('POST', `${ORGANIZATION}/api-keys`, createKey, { answer: created }),
  route('GET', `${ORGANIZATION}/api-keys`, listKeys),
  route('DELETE', `${ORGANIZATION}/api-keys/:key_id`, revokeKey),
  route('GET', `${ORGANIZATION}/audit`, listAudit),
  route('POST', `${ORGANIZATION}/domains`, addDomain, { answer: madeOr(201) }),
  route('GET', `${ORGANIZATION}/domains`, listDomains),
  route('GET', `${ORGANIZATION}/domains/:domain_id`, getDomain),
  route('DELETE', `${ORGANIZATION}/domains/:domain_id`, deleteDomain),
  route('POST', `${ORGANIZATION}/domains/:domain_id/verify`, verifyDomain),
  route('POST', `${ORGANIZATION}/domains/:domain_id/rotate`, rotateDomain),

  route('POST', INBOXES, createInbox, { answer: madeOr(201) }),
  route('GET', INBOXES, listInboxes),
  route('GET', INBOX, getInbox),
  route('PATCH', INBOX, updateInbox),
  route('PUT', INBOX, updateInbox),
  route('DELETE', INBOX, deleteInbox),
  route('GET', `${INBOX}/lists/allow`, getAllowList),
  route('PUT', `${INBOX}/lists/allow`, putAllowList),
  route('GET', `${INBOX}/lists/block`, getBlockList),
  route('PUT', `${INBOX}/lists/block`, putBlockList),
  route('GET', `${INBOX}/suppressions`, listSuppressions),
  route('DELETE', `${INBOX}/suppressions/:email`, deleteSuppression),
  route('GET', `${INBOX}/health`, getHealth),
  route('POST', `${INBOX}/health/clear`, clearHealth),

  route('POST', `${INBOX}/messages`, sendMessage, {
    maxBytes: SEND_LIMIT,
    aliases: BODIES,
    headers: { 'idempotency-key': 'idempotency_key' },
    answer: sent,
  }),
  route('POST', `${INBOX}/messages/check`, checkMessage, {
    maxBytes: SEND_LIMIT,
    aliases: BODIES,
    headers: { 'idempotency-key': 'idempotency_key' },
  }),
  route('GET', `${INBOX}/reviews`, listReviews),
  route('GET', `${INBOX}/reviews/:review_id`, getReview),
  route('POST', `${INBOX}/reviews/:review_id/approve`, approveReview),
  route('POST', `${INBOX}/reviews/:review_id/reject`, rejectReview),
  route('GET', `${ORGANIZATION}/reviews`, listReviews),
  route('GET', `${INBOX}/messages`, listMessages),
  route('GET', `${INBOX}/messages/:message_id`, getMessage),
  route('PATCH', `${INBOX}/messages/:message_id`, rescheduleMessage),
  route('POST', `${INBOX}/messages/:message_id/cancel`, cancelMessage),
  route('GET', `${INBOX}/messages/:message_id/raw`, getRawMessage, { answer: mail }),
  route('POST', `${INBOX}/attachments`, uploadAttachment, {
    body: 'form',
    maxBytes: UPLOAD_LIMIT,
    upload: formFile,
    answer: created,
  }),
  route('GET', `${INBOX}/attachments/:attachment_id`, getAttachment, { answer: fileAnswer }),
  route('GET', `${INBOX}/threads`, listThreads),
  route('GET', `${INBOX}/threads/:thread_id`, getThread),
  route('GET', `${INBOX}/threads/:thread_id/messages`, listThreadMessages),
  route('POST', `${INBOX}/threads/:thread_id/merge`, mergeThreads, {
    pathAliases: { thread_id: 'into_thread_id' },
  }),
  route('POST', `${INBOX}/threads/:thread_id/split`, splitThread),
  route('POST', `${INBOX}/threads/:thread_id/undo`, undoThread),
  route('POST', `${INBOX}/drafts`, createDraft, {
    maxBytes: SEND_LIMIT,
    aliases: BODIES,
    answer: created,
  }),
  route('GET', `${INBOX}/drafts`, listDrafts),
  route('GET', `${INBOX}/drafts/:draft_id`, getDraft),
  route('PATCH', `${INBOX}/drafts/:draft_id`, updateDraft, {
    maxBytes: SEND_LIMIT,
    aliases: BODIES,
  }),
  route('DELETE', `${INBOX}/drafts/:draft_id`, deleteDraft),
  route('POST', `${INBOX}/drafts/:draft_id/send`, sendDraft, { answer: sent }),
  route('GET', `${ALL}/drafts`, listDrafts),
  route('GET', `${ALL}/threads`, listThreads),
  route('GET', `${ALL}/messages`, listMessages),

  route('POST', `${INBOX}/documents`, uploadDocument, {
    body: 'form',
    maxBytes: UPLOAD_LIMIT,
    upload: formFile,
    answer: madeOr(202),
  }),
  route('GET', `${INBOX}/documents`, listDocuments),
  route('GET', `${INBOX}/documents/search`, searchDocuments),
  route('GET', `${INBOX}/documents/context`, getContext),
  route('GET', `${INBOX}/documents/:doc_id`, getDocument, documentId),
  route('DELETE', `${INBOX}/documents/:doc_id`, deleteDocument, documentId),
  route('GET', `${INBOX}/webhooks/deliveries`, listDeliveries),
  route('GET', `${ALL}/documents`, listDocuments),
  route('GET', `${ALL}/documents/search`, searchDocuments),
  route('GET', `${ALL}/documents/context`, getContext),
]

function created(body: unknown): Answer {
  return { status: 201, body }
}

/** 200 where the request was a repeat and what it asks for was there already. */
function madeOr(status: number) {
  return ({ created, ...body }: { created: boolean }): Answer => ({
    status: created ? status : 200,
    body,
  })
}

/** As an attachment: a browser must never show somebody's mail in our origin. */
function mail({ bytes }: { bytes: Uint8Array }): Answer {
  return {
    status: 200,
    body: bytes,
    headers: {
      'Content-Type': 'message/rfc822',
      'Content-Disposition': 'attachment; filename="message.eml"',
    },
  }
}

function formFile({ filename, contentType, bytes }: Upload) {
  return { filename, bytes, ...(contentType === '' ? {} : { content_type: contentType }) }
}
