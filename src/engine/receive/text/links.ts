// The links of a mail: what they say, where they lead.

export interface Link {
  /** What a reader sees, which may name another place than the link leads to. */
  text: string
  url: string
  /** The host in ASCII without `www.`; for mailto the domain of the address. */
  domain: string
}

const LINKS_LIMIT = 100
const URL_LENGTH_LIMIT = 2_048
const TEXT_LENGTH_LIMIT = 200

/** A link as HTML writes it. Null unless it leads to the web (http, https) or to an address. */
export function readLink(href: string, text: string): Link | null {
  const url = href.trim().replace(/[\t\r\n]/g, '')
  if (url.length > URL_LENGTH_LIMIT) return null
  const domain = /^mailto:/i.test(url) ? mailDomain(url) : webDomain(url)
  if (domain === null) return null
  const shown = text.replace(/\s+/g, ' ').trim().slice(0, TEXT_LENGTH_LIMIT)
  return { text: shown, url, domain }
}

/** `example.com` for `https://www.example.com/a`; null for what is no web address. */
export function webDomain(url: string): string | null {
  if (!/^https?:/i.test(url) || !URL.canParse(url)) return null
  const host = new URL(url).hostname.replace(/\.$/, '').replace(/^www\.(?=.*\.)/, '')
  return host === '' ? null : host
}

function mailDomain(url: string): string | null {
  const host = mailAddress(url).split('@').at(-1) ?? ''
  return mailAddress(url).includes('@') ? webDomain(`http://${host}`) : null
}

/** The address of a `mailto:` link (RFC 6068 §2): the first one, without header fields. */
export function mailAddress(url: string): string {
  const [address = ''] = url.slice('mailto:'.length).split(/[?,]/)
  return decoded(address).trim()
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** What follows the text of a link in a plain text: the place it leads to, unless the text is it. */
export function placeAfter(link: Link): string {
  const said = link.text.toLowerCase()
  if (/^mailto:/i.test(link.url)) {
    const address = mailAddress(link.url)
    return said.includes(address.toLowerCase()) ? '' : ` (${address})`
  }
  const isBareAddress = /^\S+\.\S+$/.test(said)
  const named = isBareAddress ? webDomain(/^https?:/.test(said) ? said : `http://${said}`) : null
  return named === link.domain ? '' : ` (${link.domain})`
}

const URL_IN_TEXT =
  /\b(?:https?:\/\/|mailto:|www\.)[^\s<>"“”«»`{}|\\^\u3000-\u303F\uFF00-\uFF0F\uFF1A-\uFF20]+/giu

/** Of each of its beginnings a piece that a search for bytes finds, in either case. */
const SIGNS = ['://', 'o:', 'O:', 'w.', 'W.']

/** The links in a plain text. */
export function linksInText(text: string): Link[] {
  const found: Link[] = []
  if (!SIGNS.some((sign) => text.includes(sign))) return found
  for (const [match] of text.matchAll(URL_IN_TEXT)) {
    const said = withoutTrailing(match)
    const link = readLink(/^www\./i.test(said) ? `http://${said}` : said, said)
    if (link) found.push(link)
    if (found.length >= LINKS_LIMIT * 2) break
  }
  return found
}

/** A full stop or a closing bracket after an address belongs to the sentence. */
function withoutTrailing(match: string): string {
  // Counted once: counted anew at each bracket, a line of brackets takes hours.
  let unopened = count(match, ')') - count(match, '(')
  let end = match.length
  while (end > 0 && TRAILING.test(match.charAt(end - 1))) {
    if (match[end - 1] === ')') {
      if (unopened <= 0) break
      unopened -= 1
    }
    end -= 1
  }
  return match.slice(0, end)
}

const TRAILING = /[.,;:!?'’*_~)\]]/
const count = (text: string, letter: string) => text.split(letter).length - 1

/** Each place and text once, at most a hundred; a text that is only the place gives way to words. */
export function distinctLinks(links: readonly Link[]): Link[] {
  const kept = new Map<string, Link>()
  for (const link of links) {
    const key = link.url.replace(/\/$/, '')
    const earlier = kept.get(key)
    if (!earlier) kept.set(key, link)
    else if (earlier.text === '' && link.text !== '') kept.set(key, link)
  }
  return [...kept.values()].slice(0, LINKS_LIMIT)
}
