// DKIM (RFC 6376) and the newest message signature of ARC (RFC 8617), by mailauth.
import {
  DkimVerifier,
  type SignatureHeader,
  type SignatureResult,
} from 'mailauth/lib/dkim/dkim-verifier.js'
import type { Clock } from '../../../platform/clock.ts'
import { isArc, problemOfChain } from './arc-fields.ts'
import type { Header } from './header.ts'
import type { Questions } from './resolver.ts'
import { type Reason, sortSignatures, verdictOn } from './signatures.ts'
import type { SignatureVerdict } from './verdict.ts'

/** mailauth compares each signed name with each field: more fields than this no honest mail has. */
const MAX_FIELDS = 1_000
const MAX_HEADER_BYTES = 256 * 1024
/** A hash over this much takes about 1 ms; then others have their turn. */
const CHUNK_BYTES = 256 * 1024
/** RFC 8301 §3.2. */
const MIN_KEY_BITS = 1024

export type ArcChain = DkimVerifier['arc']

export interface Verified {
  signatures: SignatureVerdict[]
  /** Undefined where the mail has no chain; a string says why it cannot be one. */
  arc?: ArcChain | string
}

/**
 * Verifies every DKIM signature, at most 8, and the newest ARC-Message-Signature.
 * A mail without either costs nothing. Keys under 1024 bits and SHA-1 are refused (RFC 8301).
 * @param raw the whole mail with CRLF line ends
 */
export async function verifySignatures(
  { questions, clock }: { questions: Questions; clock: Clock },
  raw: Buffer,
  { fields, bodyStart }: Header,
): Promise<Verified> {
  const seals = fields.filter(({ key }) => isArc(key))
  const signed = fields.some(({ key }) => key === 'dkim-signature')
  if (!signed && seals.length === 0) return { signatures: [] }
  if (fields.length > MAX_FIELDS || bodyStart > MAX_HEADER_BYTES) {
    return {
      signatures: signed ? [TOO_LARGE] : [],
      ...(seals.length > 0 ? { arc: 'the header is too large to verify' } : {}),
    }
  }
  const verifier = new DkimVerifier({
    resolver: (name, type) => questions.resolve(name, type as 'TXT'),
    minBitLength: MIN_KEY_BITS,
    curTime: clock.now(),
  })
  await verifier.messageHeaders({ parsed: fields })
  const ofType = (type: string) => verifier.signatureHeaders.filter((one) => one.type === type)
  const { verify, refused } = sortSignatures(ofType('DKIM'))
  const problem = problemOfChain(seals)
  const chain = problem === undefined ? ofType('ARC') : []
  await run(verifier, [...verify, ...chain], { questions, body: raw.subarray(bodyStart) })
  const verdicts = verify.map((header, n) => verdictOn(header, reasonOf(verifier.results[n])))
  return {
    signatures: [...verdicts, ...refused],
    ...(seals.length > 0 ? { arc: problem ?? verifier.arc } : {}),
  }
}

const TOO_LARGE: SignatureVerdict = {
  result: 'policy',
  domain: '',
  selector: '',
  algorithm: '',
  comment: 'the header is too large to verify',
}

/** Hashes and verifies these signatures and no others. */
async function run(
  verifier: DkimVerifier,
  headers: SignatureHeader[],
  { questions, body }: { questions: Questions; body: Buffer },
): Promise<void> {
  if (headers.length === 0) return
  verifier.signatureHeaders = headers
  const needed = new Set(headers.map(({ bodyHashKey }) => bodyHashKey))
  for (const key of verifier.bodyHashes.keys()) {
    if (!needed.has(key)) verifier.bodyHashes.delete(key)
  }
  for (const header of headers) {
    questions.ahead(`${header.selector}._domainkey.${header.signingDomain}`, 'TXT')
    // mailauth 4.13.3 writes to stdout where a number here is more than the body has.
    if (header.maxBodyLength !== undefined) header.maxBodyLength = ''
  }
  for (const chunk of chunksOf(body)) {
    await verifier.nextChunk(chunk)
    if (body.length > CHUNK_BYTES) await new Promise(setImmediate)
  }
  await verifier.finalChunk().catch(() => undefined)
}

const LF = 0x0a

/** Chunks end with a line: mailauth copies what is left of a line each time, and a long one would cost its square. */
function* chunksOf(body: Buffer): Generator<Buffer> {
  for (let start = 0; start < body.length; ) {
    const lineEnd = body.indexOf(LF, start + CHUNK_BYTES)
    const end = lineEnd < 0 ? body.length : lineEnd + 1
    yield body.subarray(start, end)
    start = end
  }
}

function reasonOf(result: SignatureResult | undefined): Reason {
  if (result === undefined) return { result: 'permerror', comment: 'malformed signature' }
  const { comment } = result.status
  const unsigned = (result.canonBodyLengthTotal ?? 0) - (result.canonBodyLength ?? 0)
  switch (result.status.result) {
    case 'pass':
      // RFC 6376 §8.2: whoever holds such a mail can add to it what its signer never saw.
      if (unsigned > 0) return { result: 'policy', comment: `${unsigned} bytes are not signed` }
      return { result: 'pass' }
    case 'fail':
    case 'policy':
    case 'temperror':
      return { result: result.status.result, comment: comment ?? 'key too short' }
    default:
      // RFC 8601 §2.7.1: a signature that does not verify has failed; without a usable key it is an error.
      if (result.bodyHash !== result.bodyHashExpecting) return { result: 'fail', comment }
      return { result: comment === 'expired' ? 'policy' : 'permerror', comment }
  }
}
