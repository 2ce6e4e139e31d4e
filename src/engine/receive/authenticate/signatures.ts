// Which signatures of a mail are worth verifying, and what became of those that were not.
import type { SignatureHeader } from 'mailauth/lib/dkim/dkim-verifier.js'
import { quotable, type Result, type SignatureVerdict } from './verdict.ts'

/** Each costs a look into the DNS and a hash over the body. RFC 6376 §6.1 lets a verifier stop at its limit. */
const MAX_SIGNATURES = 8
/** A signature of 4096 bits over a long list of fields stays below 3 KB. */
const MAX_SIGNATURE_BYTES = 16_384
/** mailauth 4.13.3 looks for `b=` in time quadratic in the length of such a run. */
const RUN_OF_SEPARATORS = /[;:\s]{64}/
/** A-labels: what is asked for as it is written must not stand for another name afterwards. RFC 8616 §5. */
const NAME = /^[\w.-]{1,253}$/
const ALGORITHMS = new Set(['rsa-sha256', 'ed25519-sha256'])

export interface Sorted {
  verify: SignatureHeader[]
  refused: SignatureVerdict[]
}

/** Sorts the DKIM signatures of a mail; the order stays. */
export function sortSignatures(headers: readonly SignatureHeader[]): Sorted {
  const sorted: Sorted = { verify: [], refused: [] }
  for (const header of headers) {
    const reason = unacceptable(header) ?? tooMany(sorted.verify.length)
    if (reason === undefined) sorted.verify.push(header)
    else sorted.refused.push(verdictOn(header, reason))
  }
  return sorted
}

export function verdictOn(
  { signingDomain, selector, algorithm }: SignatureHeader,
  { result, comment }: Reason,
): SignatureVerdict {
  return {
    result,
    domain: quotable(signingDomain),
    selector: quotable(selector),
    algorithm: quotable(algorithm),
    ...(comment === undefined ? {} : { comment: quotable(comment) }),
  }
}

export interface Reason {
  result: Result
  comment?: string | undefined
}

function unacceptable(header: SignatureHeader): Reason | undefined {
  if (!isTame(header.original)) return { result: 'policy', comment: 'too large or malformed' }
  if (header.hashAlgo === 'sha1') {
    return { result: 'policy', comment: 'rsa-sha1 proves nothing (RFC 8301 §3.1)' }
  }
  if (!NAME.test(header.signingDomain) || !NAME.test(header.selector)) {
    return { result: 'permerror', comment: 'd= or s= is no name' }
  }
  if (header.skip || !ALGORITHMS.has(header.algorithm.toLowerCase())) {
    return { result: 'permerror', comment: 'a tag is missing or its value is unknown' }
  }
  if (!signs(header, 'from')) return { result: 'permerror', comment: 'From field not signed' }
  if (!isOwnIdentity(header)) return { result: 'permerror', comment: 'i= is not within d=' }
  return undefined
}

const tooMany = (count: number): Reason | undefined =>
  count < MAX_SIGNATURES
    ? undefined
    : { result: 'policy', comment: `not verified: more than ${MAX_SIGNATURES} signatures` }

/** RFC 6376 §5.4 and §6.1.1: a signature that does not cover From says nothing about the author. */
function signs({ parsed }: SignatureHeader, name: string): boolean {
  const names = String(parsed.h?.value ?? '').split(':')
  return names.some((signed) => signed.trim().toLowerCase() === name)
}

/** RFC 6376 §6.1.1: the domain of i= is that of d= or below it. */
function isOwnIdentity({ parsed, signingDomain }: SignatureHeader): boolean {
  const identity = parsed.i?.value
  if (identity === undefined) return true
  const domain = String(identity).toLowerCase().split('@').pop() ?? ''
  return `.${domain}`.endsWith(`.${signingDomain.toLowerCase()}`)
}

/** Whether mailauth may be given this signature to verify. */
export function isTame(line: Buffer): boolean {
  return line.length <= MAX_SIGNATURE_BYTES && !RUN_OF_SEPARATORS.test(line.toString('latin1'))
}
