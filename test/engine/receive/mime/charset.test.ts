import { expect, test } from 'vitest'
import { readMail } from '../../../../src/engine/receive/mime/read.js'

function textIn(charset: string, hex: string): string {
  const header = `From: a@x.test\r\nContent-Type: text/plain; charset=${charset}\r\n\r\n`
  const raw = Buffer.concat([Buffer.from(header), Buffer.from(hex.replaceAll(' ', ''), 'hex')])
  return readMail(raw).pieces[0]?.plain ?? ''
}

test.each([
  ['utf-8', 'c3a4 e69db1', 'ä東'],
  ['"UTF8"', 'efbbbf c3a4', 'ä'],
  ['iso-8859-1', 'e4', 'ä'],
  ['iso-8859-15', 'a4', '€'],
  ['windows-1251', 'cff0e8e2e5f2', 'Привет'],
  ['cp1252', '93 94', '“”'],
  ['koi8-r', 'f0d2c9d7c5d4', 'Привет'],
  ['koi8-u', 'a4', 'є'],
  ['cp850', '84', 'ä'],
  ['ibm437', '81', 'ü'],
  ['macintosh', '8a', 'ä'],
  ['iso-8859-8-i', 'f9ece5ed', 'שלום'],
  ['windows-1256', 'e3d1cdc8c7', 'مرحبا'],
  ['tis-620', 'cac7d1cab4d5', 'สวัสดี'],
  ['gb2312', 'c4e3bac3', '你好'],
  ['gb18030', '8139ee39', '㐀'],
  ['hz-gb-2312', '7e7b 4463 3a43 7e7d', '你好'],
  ['big5', 'a741a66e', '你好'],
  ['shift_jis', '93fa967b', '日本'],
  ['cp932', '93fa967b', '日本'],
  ['euc-jp', 'c6fccbdc', '日本'],
  ['iso-2022-jp', '1b2442 467c4b5c 1b2842', '日本'],
  ['euc-kr', 'c7d1', '한'],
  ['ks_c_5601-1987', 'c7d1', '한'],
  ['iso-2022-kr', '1b242943 0e 4751 0f', '한'],
  ['utf-7', '2b414f512d', 'ä'],
  ['utf-16be', '00e4', 'ä'],
  ['utf-16le', 'e400', 'ä'],
  ['us-ascii', 'c3a4', 'ä'],
  ['us-ascii', 'e4', 'ä'],
  ['utf-8', 'e4', 'ä'],
  ['unknown-8bit', 'c3a4', 'ä'],
  ['no-such-set', 'e4', 'ä'],
])('%s %s is %s', (charset, hex, text) => {
  expect(textIn(charset, hex)).toBe(text)
})

test('broken UTF-8 keeps the letters that are whole', () => {
  expect(textIn('utf-8', 'c3a4 c3b6 c3')).toBe('äö\uFFFD')
})
