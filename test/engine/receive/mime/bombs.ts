// Mails made to cost time or memory, each far beyond what it weighs in an honest parser.

const MB = 1024 * 1024
const HEAD = 'From: a@x.test\r\nSubject: bomb\r\nMIME-Version: 1.0\r\n'
const MIXED = `${HEAD}Content-Type: multipart/mixed; boundary=b\r\n\r\n`

const filled = (unit: string, size: number) => unit.repeat(Math.ceil(size / unit.length))
const body = (type: string, unit: string, size: number) =>
  `${HEAD}Content-Type: ${type}\r\n\r\n${filled(unit, size)}`

function nested(levels: number, boundary: (level: number) => string): string {
  const parts = Array.from({ length: levels }, (_, level) => {
    const name = boundary(level)
    return `Content-Type: multipart/mixed; boundary=${name}\r\n\r\n--${name}\r\n`
  })
  return HEAD + parts.join('')
}

/** Each names its trick; `size` in bytes scales all but those that nest. */
export const bombs: Record<string, (size: number) => string> = {
  'ten thousand nested multiparts': () => nested(10_000, (level) => `b${level}`),
  'nested multiparts of one boundary': () => nested(10_000, () => 'b'),
  'mails in mails': (size) => HEAD + filled('Content-Type: message/rfc822\r\n\r\n', size),
  'a million header fields': (size) => `${HEAD}${filled('X-A: y\r\n', size)}\r\nbody`,
  'one field folded for ever': (size) => `${HEAD}X-A: ${filled('y\r\n ', size)}\r\n\r\nbody`,
  'stray lines between fields': (size) => `${HEAD}${filled('stray\r\nX: y\r\n', size)}\r\nbody`,
  'parts without end': (size) => MIXED + filled('--b\r\n\r\n', size),
  'lines that look like a boundary': (size) => MIXED + filled('--c\r\n', size),
  'long lines that look like a boundary': (size) =>
    MIXED + filled(`--${'b'.repeat(9_000)}\r\n`, size),
  'a long encoded word': (size) => `Subject: =?utf-8?q?${filled('=41', size)}?=\r\n\r\n`,
  'encoded words without end': (size) => `Subject: ${filled('=?utf-8?b?QQ==?= ', size)}\r\n\r\n`,
  'encoded words that never close': (size) => `Subject: ${filled('=?a?q?', size)}\r\n\r\n`,
  'a subject of blanks': (size) => `Subject: a${filled(' ', size)}b\r\n\r\n`,
  'addresses without end': (size) => `${HEAD}To: ${filled('a@b.test, ', size)}\r\n\r\n`,
  'groups without end': (size) => `${HEAD}To: ${filled('a:b;', size)}\r\n\r\n`,
  'groups in groups': (size) => `${HEAD}To: ${filled('a:', size)}\r\n\r\n`,
  'brackets that never close': (size) => `${HEAD}To: ${filled('<', size)}\r\n\r\n`,
  'comments that never close': (size) => `${HEAD}To: ${filled('(', size)}\r\n\r\n`,
  'parameters without end': (size) =>
    `${HEAD}Content-Type: text/plain;${filled(' a=b;', size)}\r\n\r\n`,
  'base64 with junk': (size) =>
    `${HEAD}Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n${filled('QUJD!!\r\n', size)}`,
  'base64 of paddings': (size) =>
    `${HEAD}Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n${filled('QQ==', size)}`,
  'soft breaks without end': (size) =>
    `${HEAD}Content-Transfer-Encoding: quoted-printable\r\n\r\n${filled('=41=\r\n', size)}`,
  'a text of 25 MB': (size) => body('text/plain; charset=utf-8', 'all work and no play ', size),
  'shifts between sets': (size) => body('text/plain; charset=iso-2022-jp', '\x1b$B\x1b(B', size),
  'utf-7 without end': (size) => body('text/plain; charset=utf-7', '+AGE-', size),
  'half of utf-8': (size) => body('text/plain; charset=utf-8', '\xe4a', size),
  'flowed without end': (size) => body('text/plain; format=flowed; delsp=yes', 'a \r\n', size),
  'bare carriage returns': (size) => body('text/plain', '\r', size),
  'references without end': (size) => `${HEAD}References: ${filled('<a', size)}\r\n\r\n`,
}

export const SMALL = 32 * 1024 - 256
export const LARGE = 24 * MB

export const bomb = (name: string, size: number): Buffer =>
  Buffer.from(bombs[name]?.(size) ?? '', 'latin1')
