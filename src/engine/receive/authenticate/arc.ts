// ARC: whether everybody who passed a mail on vouches for it, unbroken. RFC 8617, by mailauth.
import { arc } from 'mailauth/lib/arc/index.js'
import type { Verified } from './dkim.ts'
import type { Questions } from './resolver.ts'
import { type ArcVerdict, quotable } from './verdict.ts'

const MIN_KEY_BITS = 1024
const NO_CHAIN: ArcVerdict = { result: 'none', instance: 0, domain: '' }

/**
 * The state of the chain. RFC 8617 §5.2 calls every failure permanent, for whoever seals the mail next;
 * we seal nothing, and a key that could not be looked up is told apart: temperror.
 */
export async function judgeArc(found: Verified['arc'], questions: Questions): Promise<ArcVerdict> {
  if (found === undefined) return NO_CHAIN
  if (typeof found === 'string') return { ...NO_CHAIN, result: 'fail', comment: found }
  const { chain, error, lastEntry } = found
  if (chain === false && error === undefined) return NO_CHAIN
  let silent = lastEntry?.messageSignature?.status.result === 'temperror'
  const resolver = async (name: string, type: string) => {
    try {
      return (await questions.resolve(name, type as 'TXT')) as string[][]
    } catch (failure) {
      if ((failure as { code?: string }).code === 'ETIMEOUT') silent = true
      throw failure
    }
  }
  const data = { chain, error, lastEntry } as unknown as Parameters<typeof arc>[0]
  const { status } = await arc(data, { resolver, minBitLength: MIN_KEY_BITS })
  const passed = status.result === 'pass'
  return {
    result: passed ? 'pass' : silent ? 'temperror' : 'fail',
    instance: lastEntry?.i ?? 0,
    domain: quotable(String(lastEntry?.['arc-seal'].parsed.d?.value ?? '')),
    ...(passed ? {} : { comment: quotable(status.comment ?? 'the chain does not verify') }),
  }
}
