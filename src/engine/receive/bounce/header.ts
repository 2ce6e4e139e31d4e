// A header block as text: its fields by name, unfolded. RFC 5322 §2.2.

/** No honest header is longer; what stands behind is not read. */
const MAX_HEADER = 128 * 1024

/** The unfolded value of the first field of a lower-case name; undefined where it is absent. */
export type Header = (name: string) => string | undefined

/** Where the header block of a mail ends: the index of its empty line, or the most that is read. */
export function headerEnd(raw: Buffer): number {
  const head = raw.subarray(0, MAX_HEADER)
  const strict = head.indexOf('\r\n\r\n', 0, 'latin1')
  const bare = head.subarray(0, strict < 0 ? head.length : strict).indexOf('\n\n', 0, 'latin1')
  if (bare >= 0) return bare
  return strict < 0 ? head.length : strict
}

/**
 * Reads a header block; the first field of a name counts.
 * @param wanted the names to keep, in lower case; without it, all of them
 */
export function readHeader(block: string, wanted?: ReadonlySet<string>): Header {
  const fields = new Map<string, string[]>()
  let open: string[] | undefined
  for (let at = 0; at < block.length; ) {
    const newline = block.indexOf('\n', at)
    const end = newline < 0 ? block.length : newline
    if (isBlank(block.charCodeAt(at))) {
      open?.push(block.slice(at, end).trim())
    } else {
      open = undefined
      const name = fieldName(block, at, end)
      if (name !== '' && !fields.has(name) && (wanted === undefined || wanted.has(name))) {
        open = [block.slice(at + name.length + 1, end).trim()]
        fields.set(name, open)
      }
    }
    at = end + 1
  }
  return (name) => fields.get(name)?.join(' ').replace(/^:/, '').trim()
}

const isBlank = (code: number) => code === 0x20 || code === 0x09

/** RFC 5322 §3.6.8: printable characters before a colon. Longer than 60 characters is text. */
function fieldName(block: string, at: number, end: number): string {
  const colon = block.indexOf(':', at)
  if (colon < 0 || colon >= end || colon - at > 60) return ''
  const name = block.slice(at, colon)
  return /\s\S/.test(name) ? '' : name.trimEnd().toLowerCase()
}
