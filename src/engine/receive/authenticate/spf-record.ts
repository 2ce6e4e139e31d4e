// SPF records as mailauth has to see them: checked as a whole, and with their own domain in %{d}.
import { isIPv4, isIPv6 } from 'node:net'

/** A domain name has no more than 253 characters; with macros a term may be somewhat longer. */
const MAX_TERM = 512
/** RFC 7208 §12, §7.3: no zero parts; c, r and t belong into explanations only. */
const EXPAND = '%(?:\\{[slodiphv](?:0*[1-9][0-9]*)?r?[-.+,/_=]*\\}|[%_-])'
const MACROS = `(?:[\\x21-\\x24\\x26-\\x7e]|${EXPAND})*`
const TOPLABEL = '(?=[a-z0-9-]*[a-z-])[a-z0-9](?:[a-z0-9-]*[a-z0-9])?'
const DOMAIN = `${MACROS}(?:\\.${TOPLABEL}\\.?|${EXPAND})`
const CIDR4 = '(?:/(?:[0-9]|[12][0-9]|3[0-2]))'
const CIDR6 = '(?:/(?:[0-9]|[1-9][0-9]|1[01][0-9]|12[0-8]))'
const DUAL_CIDR = `${CIDR4}?(?:/${CIDR6})?`

const exactly = (pattern: string) => new RegExp(`^(?:${pattern})$`, 'i')
const MECHANISM = exactly(
  `[-+?~]?(?:all|(?:include|exists):${DOMAIN}|(?:a|mx)(?::${DOMAIN})?${DUAL_CIDR}|ptr(?::${DOMAIN})?)`,
)
const NETWORK4 = exactly(`[-+?~]?ip4:([0-9.]+)${CIDR4}?`)
const NETWORK6 = exactly(`[-+?~]?ip6:([0-9a-f:.]+)${CIDR6}?`)
const KNOWN_MODIFIER = exactly(`(redirect|exp)=${DOMAIN}`)
const OTHER_MODIFIER = exactly(
  `(?!(?:redirect|exp)=)[a-z][a-z0-9_.-]*=(?:${MACROS.replace('slodiphv', 'slodiphcrtv')})`,
)

const RECORD = /^v=spf1(?: |$)/i
/** What mailauth answers with permerror to. */
const ILL_FORMED = 'v=spf1 ill-formed'

/**
 * The text of a TXT record of `domain`, for mailauth. RFC 7208 §4.6: an error anywhere makes the whole record
 * one, where mailauth 4.13.3 stops at the first match; §7.2: d is the domain whose record it is, where mailauth
 * takes the sender's, also within what is included. Any other text stays as it is.
 */
export function preparedRecord(domain: string, text: string): string {
  if (!RECORD.test(text)) return text
  return isWellFormed(text) ? withOwnDomain(domain, text) : ILL_FORMED
}

function isWellFormed(record: string): boolean {
  const terms = record.split(' ').slice(1).filter(Boolean)
  const modifiers = terms.flatMap((term) => KNOWN_MODIFIER.exec(term)?.[1]?.toLowerCase() ?? [])
  return new Set(modifiers).size === modifiers.length && terms.every(isTerm)
}

function isTerm(term: string): boolean {
  if (term.length > MAX_TERM) return false
  const network4 = NETWORK4.exec(term)?.[1]
  if (network4 !== undefined) return isIPv4(network4)
  const network6 = NETWORK6.exec(term)?.[1]
  if (network6 !== undefined) return isIPv6(network6)
  return MECHANISM.test(term) || KNOWN_MODIFIER.test(term) || OTHER_MODIFIER.test(term)
}

/** RFC 7208 §7.3: split at the delimiters, reversed, so many of the last parts, joined with dots. */
function withOwnDomain(domain: string, record: string): string {
  return record.replace(
    /%\{d([0-9]*)(r?)([-.+,/_=]*)\}/gi,
    (_, digits: string, reversed: string, delimiters: string) => {
      const parts = splitAtAny(domain, delimiters || '.')
      const ordered = reversed === '' ? parts : parts.reverse()
      return ordered.slice(-Number(digits)).join('.').replaceAll('%', '%%')
    },
  )
}

const splitAtAny = (text: string, delimiters: string) =>
  text.split(new RegExp(`[${delimiters.replaceAll('-', '\\-')}]`))
