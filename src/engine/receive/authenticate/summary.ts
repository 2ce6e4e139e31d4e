// One word about who sent a mail, for those who do not read four.
import type { DmarcVerdict, Result, SignatureVerdict, SpfVerdict } from './verdict.ts'

export type Summary = 'pass' | 'fail' | 'none' | 'temperror'

/** The best of all signatures; what might have been one comes before what is none. RFC 6376 §6.1. */
const BEST_FIRST: readonly Result[] = [
  'pass',
  'temperror',
  'fail',
  'policy',
  'permerror',
  'neutral',
]

export function overallDkim(signatures: readonly SignatureVerdict[]): Result {
  return BEST_FIRST.find((result) => signatures.some((one) => one.result === result)) ?? 'none'
}

export interface Found {
  spf: SpfVerdict
  dkim: readonly SignatureVerdict[]
  dmarc: DmarcVerdict
}

/**
 * `pass`: the author's domain is proven, by DMARC or, where it publishes no policy, by an aligned SPF or DKIM pass.
 * `fail`: DMARC fails, the author cannot be one, or SPF says fail and nothing else vouches.
 * `temperror`: the DNS could not say. `none`: nobody vouches, and nobody said that somebody must.
 */
export function summaryOf({ spf, dkim, dmarc }: Found): Summary {
  switch (dmarc.result) {
    case 'pass':
    case 'fail':
    case 'temperror':
      return dmarc.result
    case 'permerror':
      return 'fail'
    case 'none':
      return withoutPolicy({ spf, dkim, dmarc })
  }
}

function withoutPolicy({ spf, dkim, dmarc: { aligned } }: Found): Summary {
  if (aligned.spf || aligned.dkim) return 'pass'
  if (spf.result === 'fail') return 'fail'
  return [spf, ...dkim].some(({ result }) => result === 'temperror') ? 'temperror' : 'none'
}
