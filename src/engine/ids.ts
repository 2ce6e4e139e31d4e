// The ids of the house: a prefix, an underscore, 26 characters of Crockford base32 of a UUIDv7. The prefix is part of the type.

export type OrgId = `org_${string}`
export type KeyId = `key_${string}`
export type InboxId = `inb_${string}`
export type ThreadId = `thr_${string}`
export type MessageId = `msg_${string}`
export type AttachmentId = `att_${string}`
export type DocumentId = `doc_${string}`
export type ChunkId = `chk_${string}`
export type EventId = `evt_${string}`
export type DeliveryId = `dlv_${string}`
export type AuditId = `aud_${string}`
export type ReviewId = `rev_${string}`
export type DraftId = `drf_${string}`
export type DomainId = `dom_${string}`
export type SuppressionId = `sup_${string}`
export type JobId = `job_${string}`
