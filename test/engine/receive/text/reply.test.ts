import { describe, expect, test } from 'vitest'
import { splitReply } from '../../../../src/engine/receive/text/reply.ts'
import { visibleText } from '../../../../src/engine/receive/text/visible.ts'

const QUOTE = '> Shall we sail on Friday?\n> Bring the ropes.'

describe('an introduction', () => {
  test('may stand on the line of the last words', () => {
    expect(
      splitReply(`Fine! On Tue, Mar 3, 2026 at 9:14 AM, anna@harbour.example wrote:\n${QUOTE}`)
        .newText,
    ).toBe('Fine!')
  })

  test('may be dashes around a name', () => {
    expect(splitReply(`Fine.\n\n---- Anna Berg wrote ----\n\n${QUOTE}`).newText).toBe('Fine.')
  })
})

describe('answers', () => {
  const INLINE = `Hello Anna,

On Tue, Mar 3, 2026 at 9:14 AM Anna Berg <anna@harbour.example> wrote:
> Hi Bo,
> Shall we sail on Friday?

Yes, gladly.

> Who brings the ropes?
I do.
And the sail.
> Who pays?

You.`

  test('inside a quote are new, and are kept with the line that they answer', () => {
    const { newText, quoted } = splitReply(INLINE)
    expect(newText).toBe('Hello Anna,\n\nYes, gladly.\n\nI do.\nAnd the sail.\n\nYou.')
    expect(quoted.map(({ answers }) => answers)).toEqual([
      [{ line: 'Shall we sail on Friday?', text: 'Yes, gladly.' }],
      [{ line: 'Who brings the ropes?', text: 'I do.\nAnd the sail.' }],
      [{ line: 'Who pays?', text: 'You.' }],
    ])
  })

  test('below a short quote', () => {
    expect(splitReply('> Shall we sail on Friday?\n\nYes.')).toEqual({
      newText: 'Yes.',
      quoted: [
        {
          text: '> Shall we sail on Friday?',
          answers: [{ line: 'Shall we sail on Friday?', text: 'Yes.' }],
        },
      ],
    })
  })

  test('a farewell below a quote answers nothing', () => {
    const { newText, quoted } = splitReply(`Fine.\n\n${QUOTE}\n\nAll the best, Bo`)
    expect(newText).toBe('Fine.\n\nAll the best, Bo')
    expect(quoted).toEqual([{ text: QUOTE }])
  })

  test('the torn end of a quoted line is no answer', () => {
    const long = '> This line was quoted and then wrapped by a program that did not know of'
    const { newText, quoted } = splitReply(`Fine.\n\n${long}\nquotes at all\n> and so on.`)
    expect(newText).toBe('Fine.')
    expect(quoted).toHaveLength(1)
  })

  test('in HTML, between two quotes of Gmail', () => {
    const { text, marks } = visibleText(`<div>See below.</div><div class="gmail_quote">
      <div class="gmail_attr">On Tue, Mar 3, 2026, Anna wrote:<br></div>
      <blockquote class="gmail_quote">Shall we sail?</blockquote><div>Yes.</div>
      <blockquote class="gmail_quote">Who pays?</blockquote><div>You.</div></div>`)
    expect(splitReply(text, { marks }).quoted.map(({ answers }) => answers?.[0])).toEqual([
      { line: 'Shall we sail?', text: 'Yes.' },
      { line: 'Who pays?', text: 'You.' },
    ])
  })
})

describe('quotes in HTML', () => {
  test.each([
    [
      'Gmail',
      '<div dir=ltr>Fine.</div><br><div class="gmail_quote gmail_quote_container"><div class="gmail_attr">Pada Sel, 3 Mar 2026 Anna bilang begini<br></div><blockquote class="gmail_quote">Sail?</blockquote></div>',
    ],
    [
      'Gmail, older',
      'Fine.<div class="gmail_quote">On 3-Mar-2026, at 9:14 AM, Anna &lt;anna@harbour.example&gt; wrote:<div>Sail?</div></div>',
    ],
    [
      'Outlook on the web',
      '<div>Fine.</div><div id="appendonsend"></div><hr><div id="divRplyFwdMsg"><b>Saatja:</b> Anna<br><b>Teema:</b> Paat</div><div>Sail?</div>',
    ],
    [
      'Outlook',
      '<p class=MsoNormal>Fine.</p><div><div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm"><p><b>Saatja:</b> Anna</p></div></div><p>Sail?</p>',
    ],
    [
      'Apple Mail',
      '<div>Fine.</div><div><blockquote type="cite"><div>On 3 Mar 2026, Anna wrote:</div><div>Sail?</div></blockquote></div>',
    ],
    [
      'Yahoo',
      '<div>Fine.</div><div class="yahoo_quoted"><div>Anna, dinsdag:</div><div>Sail?</div></div>',
    ],
    [
      'Thunderbird',
      '<p>Fine.</p><div class="moz-cite-prefix">3. 3. 2026 rano Anna:<br></div><blockquote type="cite" cite="mid:a">Sail?</blockquote>',
    ],
    [
      'Proton',
      '<div>Fine.</div><div class="protonmail_quote">Anna:<blockquote>Sail?</blockquote></div>',
    ],
    ['GMX', '<div>Fine.</div><div name="quote">Gesendet: heute<div>Sail?</div></div>'],
  ])('%s', (_, html) => {
    const { text, marks } = visibleText(html)
    const { newText, quoted } = splitReply(text, { marks })
    expect(newText).toBe('Fine.')
    expect(quoted.map((quote) => quote.text).join('\n')).toContain('Sail?')
  })

  test('a signature that the HTML names', () => {
    const { text, marks } = visibleText(
      '<div>Fine.</div><div class="gmail_signature">Bo Lind<br>Harbour Ltd</div>',
    )
    expect(splitReply(text, { marks }).newText).toBe('Fine.')
  })
})

describe('a forwarded mail is news', () => {
  const FORWARD = `Please book it.

---------- Forwarded message ---------
From: Anna Berg <anna@harbour.example>
Date: Tue, Mar 3, 2026 at 9:14 AM
Subject: Boat
To: Bo <bo@harbour.example>

The blue one.
> Which one?`

  test('with all of it, quotes too', () => {
    expect(splitReply(FORWARD)).toEqual({ newText: FORWARD, quoted: [] })
  })

  test.each([
    'Begin forwarded message:',
    'Anfang der weitergeleiteten Nachricht:',
    'Début du message réexpédié :',
    '-------- Weitergeleitete Nachricht --------',
    '---------- Mensaje reenviado ----------',
    '-------- Пересылаемое сообщение --------',
  ])('%s', (line) => {
    const text = `See below.\n\n${line}\n\nFrom: Anna <anna@harbour.example>\nSubject: Boat\n\nBlue.`
    expect(splitReply(text).newText).toBe(text)
  })

  test('a copied header with nothing above it, or where the subject says so', () => {
    const header =
      'From: Anna <anna@harbour.example>\nSent: Tuesday\nTo: Bo\nSubject: Boat\n\nBlue.'
    expect(splitReply(header).newText).toBe(header)
    expect(splitReply(`See below.\n\n${header}`, { forwarded: true }).newText).toBe(
      `See below.\n\n${header}`,
    )
    expect(splitReply(`See below.\n\n${header}`).newText).toBe('See below.')
  })

  test('as Apple Mail puts it, behind marks', () => {
    const text =
      'See below.\n\n> Begin forwarded message:\n>\n> From: Anna <anna@harbour.example>\n>\n> Blue.'
    expect(splitReply(text)).toEqual({ newText: text, quoted: [] })
  })

  test('but not inside of a quote', () => {
    const inner = '> Look:\n> ---------- Forwarded message ----------\n> From: Carl\n>\n> Blue.'
    expect(splitReply(`Fine.\n\n${inner}`)).toEqual({ newText: 'Fine.', quoted: [{ text: inner }] })
  })

  test('an original message with marks is a quote, also with the answer below it', () => {
    const quote =
      '----- Original Message -----\nOn 3 Mar 2026, Anna <a@b.example> wrote:\n\n> Shall we sail?'
    expect(splitReply(`${quote}\n\nYes.`)).toEqual({
      newText: 'Yes.',
      quoted: [{ text: quote, answers: [{ line: 'Shall we sail?', text: 'Yes.' }] }],
    })
  })

  test('the history that follows a forwarded mail inside a reply is history', () => {
    expect(
      splitReply(
        `Thanks.\n\nOn Tue, Mar 3, 2026 at 9:14 AM Anna <a@b.example> wrote:\n\n${FORWARD}`,
      ).newText,
    ).toBe('Thanks.')
  })
})

describe('what only looks like history', () => {
  test.each([
    ['a sentence that begins with On', 'On Friday we sail.\nOn Saturday we rest.'],
    ['an itinerary', 'Your trip:\n\nFrom: London\nTo: Paris\nDate: 3 March 2026'],
    ['an appointment', 'Come to us:\n\nDate: Wednesday 3 March\nTime: 9:14\nPlace: Harbour'],
    [
      'a message of a web form',
      'From: Anna <anna@harbour.example>\nSubject: Boat\n\nMessage Body:\nIs it blue?',
    ],
    ['decoration', 'Look:\n>>> https://harbour.example <<<\nSoon.'],
    ['a line between dashes', 'Fill in.\n\n----- Your answer below -----\n\nBlue.'],
    ['what was sent', 'Invoices of 2026-03-03 sent:\nboat, rope'],
    ['arrows', 'a -> b\n  => c'],
  ])('%s', (_, text) => {
    expect(splitReply(text)).toEqual({ newText: text, quoted: [] })
  })
})

test('a megabyte of any of it is split in a moment', () => {
  const lines = [
    '> q',
    'On x wrote:',
    'From: a',
    '-----',
    'Am 3.3.2026 schrieb',
    `> ${'x'.repeat(70)}`,
    'a:',
  ]
  for (const line of [...lines, lines.join('\n')]) {
    const text = `${line}\n`.repeat(1_000_000 / (line.length + 1))
    const start = performance.now()
    splitReply(text)
    expect(performance.now() - start).toBeLessThan(1_500)
  }
})
