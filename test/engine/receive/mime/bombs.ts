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

/** As the HTML part of a mail, so that bytes and letters are the same. */
const page = (html: string) => `${HEAD}Content-Type: text/html; charset=utf-8\r\n\r\n${html}`
const pageOf = (unit: string) => (size: number) => page(filled(unit, size))

/** Half style sheet, half elements that it is asked about. */
const styled = (rule: string, elements: string) => (size: number) =>
  page(`<style>${filled(rule, size / 2)}</style>${filled(elements, size / 2)}`)

/** Against the reading of HTML; what is longer than 1 MiB of it is cut off. */
const pages: Record<string, (size: number) => string> = {
  'elements nested without end': pageOf('<div>'),
  'quotes nested without end': pageOf('<blockquote>'),
  'megabytes of quotes': pageOf('<blockquote>said<br></blockquote>'),
  'megabytes of lines that are quotes': pageOf('&gt; &gt; &gt; said<br>'),
  'a million tags': pageOf('<b>a</b>'),
  'tags that are never closed': pageOf('<font color=red><b><i>'),
  'tags that the parser must adopt': pageOf('<a><b><p>'),
  'links without end': pageOf('<a href="http://a.test/x">x</a>'),
  'links that are never closed': pageOf('<a href="http://a.test/x"><div>'),
  'a huge table': (size) => page(`<table>${filled('<tr><td>a<td>b', size)}`),
  'tables in tables': pageOf('<table><tr><td>'),
  'a huge style sheet': styled('.a{display:none}', '<p class=a>x'),
  'a style sheet about ancestors': styled('div div div div p.a{color:#fff}', '<div><p class=a>x'),
  'a style attribute each': pageOf('<p style="color:#fff;font-size:1px">x'),
  'an element of a thousand attributes': pageOf('<p a=b c=d e=f g=h i=j k=l m=n>'),
  'comments without end': pageOf('<!--x-->'),
  'entities without end': pageOf('&amp;'),
  'letters that nobody sees': pageOf('&#8203;'),
  'lines that begin an answer': pageOf('On Mon, 1 Jan 2024, A B &lt;a@b.test&gt; wrote:<br>'),
  'lines that end a text': pageOf('-- <br>'),
  'lines with a code': pageOf('Your code is 123456<br>'),
}

/** Against the reading of plain text. */
const texts: Record<string, (size: number) => string> = {
  'an address that ends in brackets': (size) =>
    body('text/plain', `http://a.test/${')'.repeat(size)}`, 1),
  'addresses that end in brackets': (size) => body('text/plain', 'http://a.test/)))))))) ', size),
  'a quote that ends in arrows': (size) => body('text/plain', `>${'<'.repeat(size)}x`, 1),
  'empty lines that are quoted': (size) =>
    `${body('text/plain', '> a\r\n\r\n', 1)}${filled('>\r\n', size)}`,
  'quotes in quotes': (size) => body('text/plain', `${'>'.repeat(500)}\r\n`, size),
  'lines that begin an answer, plain': (size) =>
    body('text/plain', 'On Mon, 1 Jan 2024, A B <a@b.test> wrote:\r\n', size),
  'headers of forwarded mail': (size) =>
    body('text/plain', 'From: a@b.test\r\nSent: today\r\nTo: c\r\n', size),
  'signatures without end': (size) => body('text/plain', '-- \r\n', size),
  'codes without end': (size) => body('text/plain', 'Your code is 123456. ', size),
  'a bounce about everybody': (size) =>
    `From: MAILER-DAEMON@x.test\r\nSubject: Undelivered Mail Returned to Sender\r\n\r\n${filled('<a@b.test>: 550 user unknown\r\n', size)}`,
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
  'claims of our name without end': (size) =>
    `${HEAD}${filled('Authentication-Results: mail.postroom.test; dkim=pass\r\n', size)}\r\nbody`,
  'a million Received lines': (size) => `${HEAD}${filled('Received: a\r\n', size)}\r\nbody`,
  'references without end': (size) => `${HEAD}References: ${filled('<a', size)}\r\n\r\n`,
  ...pages,
  ...texts,
}

/** The largest that is read on the main thread. */
export const SMALL = 8 * 1024 - 256
/** Of this size HTML costs the most: more of it is cut off. */
export const MEDIUM = MB - 1_024
export const LARGE = 24 * MB

export const bomb = (name: string, size: number): Buffer =>
  Buffer.from(bombs[name]?.(size) ?? '', 'latin1')
