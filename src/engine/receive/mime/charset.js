// Bytes to letters, whatever the mail calls its character set. RFC 2046 §4.1.2.
import { isUtf8 } from 'node:buffer'
import libmime from 'libmime'
import charsets from 'libmime/lib/charset.js'

/** Names that say nothing: what is valid UTF-8 is UTF-8, for chance hardly ever makes it. */
const SAYS_NOTHING =
  /^(|us-?ascii|ascii|x-unknown|unknown(-8bit)?|default|none|binary|[78]bit|utf-?8|utf8mb4|cp65001|x-user-defined)$/
/** The platform's decoders are the better ones for these; for the others iconv-lite knows more sets. */
const EAST_ASIAN =
  /^(gbk?|gb_?2312(-80)?|gb18030|big5(-hkscs)?|euc-?(jp|kr)|shift[-_]jis|sjis|ks_c_5601-19\d\d|ms932|windows-(31j|949)|x-sjis|iso-2022-jp)$/i
/** Families of names that iconv-lite has. Others would be read as UTF-8 without a word. */
const KNOWN =
  /^(iso-?8859|iso-ir|windows-|cp|ibm|mac|x-mac|utf-|ucs-|koi8|tis-|tcvn|viscii|armscii|rk1048|pt154|georgian|hp-|latin|cs|ecma|arabic|greek|hebrew|cyrillic)/i
const ALIASES = {
  cp936: 'gbk',
  'ansi_x3.4-1968': 'us-ascii',
  'iso-2022-jp-1': 'iso-2022-jp',
  'iso-2022-jp-ms': 'iso-2022-jp',
  cp50220: 'iso-2022-jp',
  cp50221: 'iso-2022-jp',
  cp932: 'shift_jis',
  cp949: 'euc-kr',
  cp950: 'big5',
}

/** Never throws: what cannot be read as named is read as UTF-8 or windows-1252. */
export function decodeCharset(bytes, label = '') {
  const given = label
    .trim()
    .toLowerCase()
    .replace(/^["']|["']$/g, '')
  const name = ALIASES[given] ?? given
  if (SAYS_NOTHING.test(name)) return unnamed(bytes)
  if (name === 'iso-2022-kr') return decodeCharset(shiftedUp(bytes, 0x0e, 0x0f), 'euc-kr')
  if (name === 'hz-gb-2312' || name === 'hz') return decodeCharset(hzBytes(bytes), 'gbk')
  if (EAST_ASIAN.test(name)) return new TextDecoder(name.replace('_2312', '2312')).decode(bytes)
  const canonical = libmime.normalizeCharset(name)
  if (!KNOWN.test(canonical)) return unnamed(bytes)
  return charsets.decode(bytes, canonical)
}

function unnamed(bytes) {
  if (isUtf8(bytes)) return withoutMark(bytes.toString())
  const text = bytes.toString()
  const lost = text.split('\uFFFD').length - 1
  // Broken UTF-8 (cut in the middle, say) has more whole letters than broken ones.
  const others = text.replace(/[\p{ASCII}\uFFFD]/gu, '').length
  return others > lost ? withoutMark(text) : charsets.decode(bytes, 'windows-1252')
}

/** A byte order mark is no letter. */
const withoutMark = (text) => (text.startsWith('\uFEFF') ? text.slice(1) : text)

/** RFC 1557: between SO and SI the Korean letters, without their high bits. */
function shiftedUp(bytes, shiftOut, shiftIn) {
  const out = []
  let up = false
  const from = bytes.indexOf('\x1b$)C') === 0 ? 4 : 0
  for (const byte of bytes.subarray(from)) {
    if (byte === shiftOut || byte === shiftIn) up = byte === shiftOut
    else out.push(up && byte > 0x20 ? byte | 0x80 : byte)
  }
  return Buffer.from(out)
}

/** RFC 1843: between ~{ and ~} the Chinese letters, without their high bits. */
function hzBytes(bytes) {
  const text = bytes.toString('latin1').replace(/~\r?\n/g, '')
  const marked = text.replaceAll('~~', '\0').replaceAll('~{', '\x0e').replaceAll('~}', '\x0f')
  return shiftedUp(Buffer.from(marked.replaceAll('\0', '~'), 'latin1'), 0x0e, 0x0f)
}
