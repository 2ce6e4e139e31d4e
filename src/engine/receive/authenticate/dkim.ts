// DKIM (RFC 6376) and the newest message signature of ARC (RFC 8617), by mailauth.
import { DkimVerifier, type SignatureResult } from 'mailauth/lib/dkim/dkim-verifier.js'
import type { Clock } from '../../../platform/clock.ts'
import { isArc, problemOfChain } from './arc-fields.ts'
import { type Field, type Header, sizeOf } from './header.ts'
import { hasBareLineEnds, withLineEnds } from './line-ends.ts'
import type { Questions } from './resolver.ts'
import { type Reason, sortSignatures, verdictOn } from './signatures.ts'
import type { SignatureVerdict } from './verdict.ts'

/** mailauth compares each signed name with each field: more fields than this no honest mail has. */
const MAX_FIELDS = 1_000
/** mailauth reads these, Content-Type once a signature, before it can be told which signatures to verify. */
const READ_BY_MAILAUTH = /^(from|content-type)$/
const MAX_READ_BYTES = 32 * 1024
const MAX_READ_SIGNATURES = 50
/** A hash over this much takes about 1 ms; then others have their turn. */
const CHUNK_BYTES = 256 * 1024
/** RFC 5322 §2.1.1 has 998 characters. mailauth takes a line in one piece: one of 20 MB would stop all others for 170 ms. */
const MAX_LINE_BYTES = 1024 * 1024
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
 */
export async function verifySignatures(
  parts: { questions: Questions; clock: Clock },
  raw: Buffer,
  { fields, bodyStart }: Header,
): Promise<Verified> {
  const seals = fields.filter(({ key }) => isArc(key))
  const signed = fields.filter(({ key }) => key === 'dkim-signature')
  if (signed.length === 0 && seals.length === 0) return { signatures: [] }
  if (bodyStart === undefined || signed.length > MAX_READ_SIGNATURES || isTooLarge(fields)) {
    return {
      signatures: signed.length > 0 ? [TOO_LARGE] : [],
      ...(seals.length > 0 ? { arc: TOO_LARGE.comment } : {}),
    }
  }
  const problem = problemOfChain(seals)
  const bare = hasBareLineEnds(raw)
  const verifier = verifierOf(parts)
  await verifier.messageHeaders({
    parsed: bare ? fields.map((field) => ({ ...field, line: withLineEnds(field.line) })) : fields,
  })
  const ofType = (type: string) => verifier.signatureHeaders.filter((one) => one.type === type)
  const { verify, refused } = sortSignatures(ofType('DKIM'))
  verifier.signatureHeaders = [...verify, ...(problem === undefined ? ofType('ARC') : [])]
  await run(verifier, parts.questions, { body: raw.subarray(bodyStart), bare })
  const verdicts = verify.map((header, n) => verdictOn(header, reasonOf(verifier.results[n])))
  return {
    signatures: [...verdicts, ...refused],
    ...(seals.length > 0 ? { arc: problem ?? verifier.arc } : {}),
  }
}

const isTooLarge = (fields: readonly Field[]) =>
  fields.length > MAX_FIELDS ||
  sizeOf(fields.filter(({ key }) => READ_BY_MAILAUTH.test(key))) > MAX_READ_BYTES

const verifierOf = ({ questions, clock }: { questions: Questions; clock: Clock }) =>
  new DkimVerifier({
    resolver: (name, type) => questions.resolve(name, type as 'TXT'),
    minBitLength: MIN_KEY_BITS,
    // Without a sender it would look for a Return-Path.
    sender: '<>',
    curTime: clock.now(),
  })

const TOO_LARGE = {
  result: 'policy',
  domain: '',
  selector: '',
  algorithm: '',
  comment: 'the header is too large to verify',
} as const

interface Body {
  body: Buffer
  /** Whether its lines end with LF alone. */
  bare: boolean
}

/** Verifies the signatures that the verifier is left with; without results where it cannot. */
async function run(verifier: DkimVerifier, questions: Questions, body: Body): Promise<void> {
  const headers = verifier.signatureHeaders
  if (headers.length === 0) return
  const needed = new Set(headers.map(({ bodyHashKey }) => bodyHashKey))
  for (const key of verifier.bodyHashes.keys()) {
    if (!needed.has(key)) verifier.bodyHashes.delete(key)
  }
  for (const header of headers) {
    questions.ahead(`${header.selector}._domainkey.${header.signingDomain}`, 'TXT')
    // mailauth 4.13.3 writes to stdout where a number here is more than the body has.
    if (header.maxBodyLength !== undefined) header.maxBodyLength = ''
  }
  if (await hash(verifier, body)) await verifier.finalChunk().catch(() => undefined)
}

/** Hashes the body for every signature at once; false where a line is too long for that. */
async function hash(verifier: DkimVerifier, { body, bare }: Body): Promise<boolean> {
  for (const chunk of chunksOf(body)) {
    if (chunk.length > CHUNK_BYTES + MAX_LINE_BYTES) return false
    await verifier.nextChunk(bare ? withLineEnds(chunk) : chunk)
    if (body.length > CHUNK_BYTES) await new Promise(setImmediate)
  }
  return true
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
  if (result === undefined)
    return { result: 'permerror', comment: 'malformed, or a line is too long to verify' }
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
