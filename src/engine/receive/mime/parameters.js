// Content-Type and Content-Disposition: a value and its parameters. RFC 2045 §5.1, RFC 2231.
import libmime from 'libmime'
import { decodeWords } from './words.js'

/** No parameters that anybody meant are longer; the parser's time grows with them. */
const MAX_LENGTH = 16 * 1024

/** @returns the value in lower case and the parameters by name, their encodings read */
export function readParameters(value) {
  const bare = withoutComments(value.slice(0, MAX_LENGTH))
  const { value: first, params } = libmime.parseHeaderValue(bare)
  // Encoded words have no place here (RFC 2047 §5), and half of the mailers put them here.
  const parameters = Object.entries(params).map(([key, text]) => [key, decodeWords(text)])
  return {
    value: (first || '').toLowerCase().replace(/\s+/g, ''),
    parameters: new Map(parameters),
  }
}

/** The name of the file as the sender gave it: it may hold slashes, whoever writes a file must not trust it. */
export function filenameOf(disposition, type) {
  const given = disposition.parameters.get('filename') ?? type.parameters.get('name')
  if (!given) return null
  const name = given.replace(/\p{Cc}+/gu, ' ').trim()
  return name === '' ? null : name
}

/** RFC 5322 §3.2.2. A parenthesis inside a value, as in `filename=Offer(1).pdf`, opens no comment. */
function withoutComments(value) {
  if (!value.includes('(')) return value
  const kept = []
  let depth = 0
  let quoted = false
  for (const [token] of value.matchAll(TOKEN)) {
    const inside = depth > 0
    if (token === '"' && !inside) quoted = !quoted
    if (!quoted) depth += depthChange(token, inside, kept)
    if (!inside && depth === 0) kept.push(token)
  }
  // One that is never closed would swallow the boundary.
  return depth === 0 ? kept.join('') : value
}

const TOKEN = /\\.|["()]|[^\\"()]+|\\/gs

function depthChange(token, inside, before) {
  if (token === ')') return inside ? -1 : 0
  if (token !== '(') return 0
  return inside || !/=[^;\s]*$/.test(before.slice(-8).join('').slice(-200)) ? 1 : 0
}
