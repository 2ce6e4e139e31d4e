// What was found out about who sent a mail, as it is stored and shown.

/** RFC 8601 §2.7.1 and §2.7.2: what SPF and DKIM can come to. */
export type Result =
  | 'pass'
  | 'fail'
  | 'softfail'
  | 'neutral'
  | 'policy'
  | 'none'
  | 'temperror'
  | 'permerror'

export interface SpfVerdict {
  result: Result
  /** The domain that was asked; empty where there was none to ask. */
  domain: string
  /** RFC 7208 §2.4: without MAIL FROM the name given in HELO is judged. */
  identity: 'mailfrom' | 'helo'
  comment?: string
}

export interface SignatureVerdict {
  result: Result
  domain: string
  selector: string
  algorithm: string
  comment?: string
}

export interface DmarcVerdict {
  result: 'pass' | 'fail' | 'none' | 'temperror' | 'permerror'
  /** What the domain asks to be done with mail that fails; null without a record. */
  policy: 'none' | 'quarantine' | 'reject' | null
  /** Whether the domain only tries its policy out (t=y, or pct below 100), so that nothing is refused for it. */
  testing: boolean
  /** The author's domain that decided. */
  domain: string
  aligned: { spf: boolean; dkim: boolean }
  comment?: string
}

export interface ArcVerdict {
  result: 'pass' | 'fail' | 'none' | 'temperror'
  /** The newest instance and who sealed it; zero and empty without a chain. */
  instance: number
  domain: string
  comment?: string
}

/** Outsiders' words in what we say: one line, no controls, not long. */
export function quotable(text: string): string {
  return text.replace(UNPRINTABLE, ' ').replace(/\s+/g, ' ').trim().slice(0, MAX_QUOTED)
}

const MAX_QUOTED = 200
const UNPRINTABLE = /[\p{C}\u2028\u2029]/gu
