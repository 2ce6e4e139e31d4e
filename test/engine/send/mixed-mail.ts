const base64 = (content: string) => Buffer.from(content).toString('base64')

/** A mail from outside, behind its address fields: HTML with a picture and with hidden words, and a file with a bad name. */
export const MIXED_MAIL = [
  'Content-Type: multipart/mixed; boundary=m',
  '',
  '--m',
  'Content-Type: multipart/related; boundary=r',
  '',
  '--r',
  'Content-Type: text/html',
  '',
  '<p>Look: <img src="cid:pic"></p><p style="display:none">secret orders</p>',
  '--r',
  'Content-Type: image/png; name=pic.png',
  'Content-ID: <pic>',
  'Content-Transfer-Encoding: base64',
  '',
  base64('picture'),
  '--r--',
  '--m',
  'Content-Type: text/csv',
  "Content-Disposition: attachment; filename*=utf-8''..%2F..%2Fetc%2Fbestand%20%C3%A4.csv",
  'Content-Transfer-Encoding: base64',
  '',
  base64('a;b'),
  '--m--',
]
