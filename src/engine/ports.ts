// What the engine asks of the world. Drains and tests fill these in; the engine knows no door and no drain.
import type { Clock } from '../platform/clock.ts'
import type { Database } from '../platform/database.ts'
import type { Log } from '../platform/log.ts'
import type { Secrets } from '../platform/secrets.ts'
import type { MessageId, OrgId } from './ids.ts'
import type { JournalEntry } from './journal.ts'

/** The parts that every operation may ask for; a function names in its parameters only those it uses. */
export interface Engine {
  db: Database
  clock: Clock
  log: Log
  blobs: Blobs
  mails: MailReading
  jobs: JobWaker
  webhooks: Pick<HttpPoster, 'allowed'>
  dns: Dns
  secrets: Secrets
  settings: Settings
}

/** The settings that change what the engine decides. Built by `config.ts` from the environment. */
export interface Settings {
  mailDomain: string
  publicUrl: string
  smtpHostname: string
  outbound: 'dry-run' | 'relay' | 'mx'
  /** Host of the relay, where there is one. */
  relayHost?: string | undefined
  agentSendPolicy: 'review-new' | 'review-all' | 'open'
  /** In the notation of AGENT_CAPS. */
  agentCaps: string
  /** Who is told of each mail that waits for a person; undefined: nobody by mail. */
  reviewNotify: string | undefined
  reviewTtlHours: number
  readOnly: boolean
  /** Seconds to wait before each attempt; the length is the number of attempts. */
  outboundRetrySchedule: readonly number[]
  webhookRetrySchedule: readonly number[]
  webhookTimeoutSeconds: number
}

/** Wakes the workers of this process after a commit that enqueued a job or wrote an event. */
export interface JobWaker {
  wake(): void
}

/** Takes kept mail apart. */
export interface MailReading {
  /**
   * One attachment by its position in the mail (`AttachmentRow.position`); undefined where there is none.
   * Rejects where reading takes longer than some seconds.
   */
  readAttachment(
    raw: Buffer,
    position: number,
  ): Promise<{ filename: string | null; contentType: string; bytes: Buffer } | undefined>
}

/** Raw mail and documents, by content. */
export interface Blobs {
  /**
   * Keeps the bytes and resolves once they survive a power cut (fsync of file and folder).
   * The same bytes twice are one blob.
   */
  put(orgId: OrgId, sha256: string, bytes: Uint8Array): Promise<void>
  has(orgId: OrgId, sha256: string): Promise<boolean>
  get(orgId: OrgId, sha256: string): Promise<Buffer>
  /**
   * Sets the bytes aside, asks once more whether nobody uses them, and then deletes them or puts them back.
   * Whoever stores a row over a blob looks with `has` after the commit and puts again what was set aside in between.
   */
  remove(orgId: OrgId, sha256: string, unused: () => Promise<boolean>): Promise<void>
  /** Keeps what the raw bytes do not say (envelope, ids, times) so that the database can be rebuilt from the raw store. */
  putSidecar(orgId: OrgId, messageId: MessageId, sidecar: object): Promise<void>
  removeSidecar(orgId: OrgId, messageId: MessageId): Promise<void>
  /** Everything kept for an organization, in no order. */
  list(orgId: OrgId): AsyncIterable<Kept>
  /** The sidecar as it was put; undefined where there is none, or it cannot be read. */
  sidecar(orgId: OrgId, messageId: MessageId): Promise<object | undefined>
  /** Whose mail is kept, oldest first. */
  organizations(): Promise<OrgId[]>
  /** Appends one fact that outlives the database (a deletion, a merge, a split); resolves once it survives a power cut. */
  journal(orgId: OrgId, entry: JournalEntry): Promise<void>
  /** The journal's lines in their order. */
  entries(orgId: OrgId): Promise<object[]>
}

/** `writtenAt`: undefined where it went after it was listed. */
export type Kept =
  | { kind: 'raw'; sha256: string; writtenAt(): Promise<Date | undefined> }
  | { kind: 'sidecar'; messageId: MessageId; writtenAt(): Promise<Date | undefined> }

/** Who is told what a mail server said about one mail on its way out. RFC 5321 §4.2. */
export type HandOver =
  | { kind: 'accepted'; code: number; detail: string; remoteId?: string }
  /** `asciiOnly`: not the recipient, but an address in the mail that is not ASCII. RFC 6531 §3.5. */
  | { kind: 'refused'; code: number; detail: string; asciiOnly?: true }
  | { kind: 'deferred'; code: number | null; detail: string }
  /** The line was lost after the final dot: the mail may have gone. */
  | { kind: 'uncertain'; detail: string }

export interface OutgoingMail {
  envelope: { from: string; to: readonly string[] }
  raw: Uint8Array
}

/** Hands one mail to the world; one answer a recipient, in the order of `envelope.to`. */
export interface MailTransport {
  send(mail: OutgoingMail): Promise<HandOver[]>
  close(): Promise<void>
}

/** Mail between our own inboxes takes the same way in as mail from outside. */
export interface LocalDelivery {
  deliver(mail: OutgoingMail): Promise<HandOver[]>
}

/** What became of one HTTP POST. Network faults are answers, not exceptions. */
export type PostResult =
  | {
      kind: 'answered'
      status: number
      body: string
      retryAfterSeconds: number | null
      durationMs: number
    }
  | { kind: 'failed'; reason: string; durationMs: number }
  /** The address may not be reached (private, loopback, metadata). */
  | { kind: 'forbidden'; reason: string; durationMs: number }

export interface HttpPoster {
  post(request: {
    url: string
    headers: Record<string, string>
    body: string
    timeoutMs: number
  }): Promise<PostResult>
  /** Whether a URL may be reached at all; the reason when it may not. Asked when a URL is set. */
  allowed(url: string): Promise<{ ok: true } | { ok: false; reason: string }>
}

/** What one record of a type holds, as the wire has it. */
export interface DnsRecords {
  A: string
  AAAA: string
  CNAME: string
  MX: { exchange: string; priority: number }
  PTR: string
  /** The strings of one record, one character a byte. RFC 1035 §3.3.14. */
  TXT: string[]
}

export type DnsType = keyof DnsRecords

export type DnsAnswer<T extends DnsType = DnsType> =
  | { kind: 'found'; records: DnsRecords[T][] }
  /** There is none: no such name (NXDOMAIN), or a name without records of this type. RFC 2308 §2. */
  | { kind: 'none'; exists: boolean }
  /** Nobody could say (SERVFAIL, REFUSED, silence): asking again later may help. */
  | { kind: 'failed'; reason: string }

/** Asks the DNS. It does not throw. */
export interface Dns {
  /** @param asked `fresh`: what was remembered does not count, since somebody has just changed it */
  resolve<T extends DnsType>(
    name: string,
    type: T,
    asked?: { fresh: boolean },
  ): Promise<DnsAnswer<T>>
}
