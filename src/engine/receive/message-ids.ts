// Message-IDs in a header's value. RFC 5322 §3.6.4.

/** A header may name thousands of ids; the first is the thread's root, the last are the nearest ancestors. */
const MAX_REFERENCES = 100
/** Longer "ids" are no ids: RFC 5322 §2.1.1 ends a line at 998 octets. A long one may have been folded in the middle. */
const MAX_OCTETS = 998
const ID = /<[^<>]{1,996}>/g

/** The ids of a header in their order, each once, with angle brackets; at most 100: the first and the last 99. */
export function messageIdsIn(value: string): string[] {
  const found = (value.match(ID) ?? []).map((id) => asStored(id.replace(/\s+/g, '')))
  const ids = [...new Set(found)].filter(isId)
  if (ids.length <= MAX_REFERENCES) return ids
  return [...ids.slice(0, 1), ...ids.slice(1 - MAX_REFERENCES)]
}

/** The ids of In-Reply-To or References; also those that a mailer wrote without brackets, where nothing else stands beside. */
export function idsOfField(value: string): string[] {
  const ids = messageIdsIn(value)
  const words = value.trim().split(/\s+/)
  if (ids.length > 0 || !words.every((word) => BARE_ID.test(word))) return ids
  return messageIdsIn(words.map((word) => `<${word}>`).join(' '))
}

/** A mail's own id; without brackets whatever one word stands there. Null where there is none. */
export function messageIdOf(value: string): string | null {
  const [id] = messageIdsIn(value)
  if (id !== undefined) return id
  const word = value.trim()
  const bare = /^[^\s<>]{1,996}$/.test(word) ? asStored(`<${word}>`) : ''
  return isId(bare) ? bare : null
}

const isId = (id: string) => id.length > '<>'.length && Buffer.byteLength(id) <= MAX_OCTETS

/** The database keeps no U+0000, and an answer must find the id that is kept. */
const asStored = (id: string) => id.replaceAll('\0', '\uFFFD')

const BARE_ID = /^[^\s<>@,;:"()]{1,500}@[^\s<>@,;:"()]{1,490}$/
