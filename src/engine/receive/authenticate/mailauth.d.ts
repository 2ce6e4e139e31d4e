/** The verifier below mailauth's `dkimVerify`: it takes a header that was split already, and chunks of a body. */
declare module 'mailauth/lib/dkim/dkim-verifier.js' {
  import type { Field } from './header.ts'

  export interface SignatureHeader {
    type: 'DKIM' | 'ARC' | 'AS'
    parsed: Record<string, { value?: string | number } | undefined>
    original: Buffer
    /** An algorithm or canonicalisation that is not known, or no domain or selector. */
    skip?: boolean
    algorithm: string
    hashAlgo: string
    signingDomain: string
    selector: string
    bodyHashKey?: string
    maxBodyLength?: number | ''
  }

  export interface SignatureResult {
    signingDomain: string
    selector: string
    status: { result: string; comment?: string }
    bodyHash?: string
    bodyHashExpecting?: string
    canonBodyLength?: number
    canonBodyLengthTotal?: number
  }

  export class DkimVerifier {
    constructor(options: {
      resolver: (name: string, type: string) => Promise<unknown[]>
      minBitLength?: number
      sender?: string
      curTime?: Date
    })
    signatureHeaders: SignatureHeader[]
    bodyHashes: Map<string, object>
    results: SignatureResult[]
    arc: {
      chain: { i: number }[] | false
      lastEntry?: {
        i: number
        messageSignature?: SignatureResult
        'arc-seal': SignatureHeader
      }
      error?: Error
    }
    messageHeaders(headers: { parsed: Field[] }): Promise<void>
    nextChunk(chunk: Buffer): Promise<void>
    finalChunk(): Promise<void>
  }
}
