import { describe, expect, test } from 'vitest'
import { splitReply } from '../../../../src/engine/receive/text/reply.ts'

const QUOTE = '> Shall we sail on Friday?\n> Bring the ropes.'

/** How Gmail, Apple Mail, Thunderbird and others say "On … X wrote:" in their languages. */
const INTRODUCTIONS: [string, string][] = [
  ['English, Gmail', 'On Tue, Mar 3, 2026 at 9:14 AM Anna Berg <anna@harbour.example> wrote:'],
  ['English, Apple Mail', 'On 3 Mar 2026, at 09:14, Anna Berg <anna@harbour.example> wrote:'],
  ['English, Thunderbird', 'On 03/03/2026 09:14, Anna Berg wrote:'],
  ['English, wrapped', 'On Tue, Mar 3, 2026 at 9:14 AM Anna Berg\n<anna@harbour.example> wrote:'],
  [
    'English, wrapped twice',
    'On Tue, Mar 3, 2026 at 9:14 AM Anna von und zu Berg <\nanna.von.und.zu.berg@harbour.example\n> wrote:',
  ],
  ['German, Gmail', 'Am Di., 3. März 2026 um 09:14 Uhr schrieb Anna Berg <anna@harbour.example>:'],
  ['German, Thunderbird', 'Am 03.03.26 um 09:14 schrieb Anna Berg:'],
  ['German, Apple Mail', 'Am 03.03.2026 um 09:14 schrieb Anna Berg <anna@harbour.example>:'],
  ['French, Gmail', 'Le mar. 3 mars 2026 à 09:14, Anna Berg <anna@harbour.example> a écrit :'],
  ['French, wrapped', 'Le mar. 3 mars 2026 à 09:14, Anna Berg\n<anna@harbour.example> a\nécrit :'],
  ['Spanish', 'El mar, 3 mar 2026 a las 9:14, Anna Berg (<anna@harbour.example>) escribió:'],
  [
    'Italian',
    'Il giorno mar 3 mar 2026 alle ore 09:14 Anna Berg <anna@harbour.example> ha scritto:',
  ],
  ['Italian, Thunderbird', 'Il 03/03/2026 09:14, Anna Berg ha scritto:'],
  ['Portuguese', 'Em ter., 3 de mar. de 2026 às 09:14, Anna Berg <anna@harbour.example> escreveu:'],
  ['Dutch', 'Op di 3 mrt 2026 om 09:14 schreef Anna Berg <anna@harbour.example>:'],
  [
    'Dutch, Apple Mail',
    'Op 3 mrt. 2026, om 09:14 heeft Anna Berg <anna@harbour.example> het volgende geschreven:',
  ],
  ['Swedish', 'Den tis 3 mars 2026 kl 09:14 skrev Anna Berg <anna@harbour.example>:'],
  ['Danish', 'Den tirs. 3. mar. 2026 kl. 09.14 skrev Anna Berg <anna@harbour.example>:'],
  ['Norwegian', 'tir. 3. mars 2026 kl. 09:14 skrev Anna Berg <anna@harbour.example>:'],
  ['Finnish', 'ti 3. maalisk. 2026 klo 9.14 Anna Berg (anna@harbour.example) kirjoitti:'],
  ['Polish', 'wt., 3 mar 2026 o 09:14 Anna Berg <anna@harbour.example> napisał(a):'],
  [
    'Polish, older',
    'W dniu 3 marca 2026 09:14 użytkownik Anna Berg <anna@harbour.example>\nnapisał:',
  ],
  ['Czech', 'út 3. 3. 2026 v 9:14 odesílatel Anna Berg <anna@harbour.example> napsal:'],
  ['Slovak', 'ut 3. 3. 2026 o 9:14 Anna Berg <anna@harbour.example> napísal(a):'],
  ['Hungarian', 'Anna Berg <anna@harbour.example> ezt írta (időpont: 2026. márc. 3., K, 9:14):'],
  ['Romanian', 'În mar., 3 mar. 2026 la 09:14, Anna Berg <anna@harbour.example> a scris:'],
  [
    'Greek',
    'Στις Τρί 3 Μαρ 2026 στις 9:14 π.μ., ο χρήστης Anna Berg <anna@harbour.example> έγραψε:',
  ],
  ['Russian', 'вт, 3 мар. 2026 г. в 09:14, Anna Berg <anna@harbour.example>:'],
  ['Russian, Mail.ru', '3 марта 2026, 09:14 +03:00 от Anna Berg <anna@harbour.example>:'],
  ['Russian, Thunderbird', '03.03.2026 09:14, Anna Berg пишет:'],
  ['Ukrainian', 'вт, 3 бер. 2026 р. о 09:14 Anna Berg <anna@harbour.example> пише:'],
  ['Turkish', 'Anna Berg <anna@harbour.example>, 3 Mar 2026 Sal, 09:14 tarihinde şunu yazdı:'],
  ['Vietnamese', 'Vào Th 3, 3 thg 3, 2026 vào lúc 09:14 Anna Berg <anna@harbour.example> đã viết:'],
  ['Japanese, Gmail', '2026年3月3日(火) 9:14 Anna Berg <anna@harbour.example>:'],
  ['Japanese, Apple Mail', '2026/03/03 9:14、Anna Berg <anna@harbour.example>のメール:'],
  ['Chinese, Gmail', 'Anna Berg <anna@harbour.example> 于2026年3月3日周二 09:14写道：'],
  ['Chinese, Apple Mail', '> 2026年3月3日 09:14，Anna Berg <anna@harbour.example> 写道：'.slice(2)],
  ['Chinese, NetEase', '在 2026-03-03 09:14:22，"Anna Berg" <anna@harbour.example> 写道：'],
  ['Chinese, traditional', 'Anna Berg <anna@harbour.example> 於 2026年3月3日 週二 上午9:14寫道：'],
  ['Korean, Gmail', '2026년 3월 3일 (화) 오전 9:14, Anna Berg <anna@harbour.example>님이 작성:'],
  ['Korean, Apple Mail', '2026. 3. 3. 오전 9:14, Anna Berg <anna@harbour.example> 작성:'],
  [
    'Arabic',
    'في الثلاثاء، 3 مارس 2026 في 9:14 ص تمت كتابة ما يلي بواسطة Anna Berg <anna@harbour.example>:',
  ],
  ['Hebrew', 'בתאריך יום ג׳, 3 במרץ 2026 ב-9:14 מאת Anna Berg <anna@harbour.example>:'],
]

describe('an introduced quote is history', () => {
  test.each(INTRODUCTIONS)('%s', (_, introduction) => {
    const { newText, quoted } = splitReply(`Friday suits me.\n\n${introduction}\n\n${QUOTE}\n`)
    expect(newText).toBe('Friday suits me.')
    expect(quoted).toEqual([{ text: `${introduction}\n\n${QUOTE}` }])
  })

  test.each(INTRODUCTIONS.filter(([, text]) => text.includes('@')))(
    '%s, without marks',
    (_, introduction) => {
      const { newText, quoted } = splitReply(
        `Friday suits me.\n\n${introduction}\n\nShall we sail?\n`,
      )
      expect(newText).toBe('Friday suits me.')
      expect(quoted).toHaveLength(1)
    },
  )
})

const FIELDS: [string, string[]][] = [
  [
    'English',
    ['From: Anna Berg', 'Sent: Tuesday, March 3, 2026 9:14 AM', 'To: Bo', 'Subject: Boat'],
  ],
  [
    'German',
    ['Von: Anna Berg', 'Gesendet: Dienstag, 3. März 2026 09:14', 'An: Bo', 'Betreff: Boot'],
  ],
  ['French', ['De : Anna Berg', 'Envoyé : mardi 3 mars 2026 09:14', 'À : Bo', 'Objet : Bateau']],
  [
    'Spanish',
    ['De: Anna Berg', 'Enviado: martes, 3 de marzo de 2026 9:14', 'Para: Bo', 'Asunto: Barco'],
  ],
  ['Italian', ['Da: Anna Berg', 'Inviato: martedì 3 marzo 2026 09:14', 'A: Bo', 'Oggetto: Barca']],
  [
    'Portuguese',
    ['De: Anna Berg', 'Enviada em: terça-feira, 3 de março de 2026', 'Para: Bo', 'Assunto: Barco'],
  ],
  [
    'Dutch',
    ['Van: Anna Berg', 'Verzonden: dinsdag 3 maart 2026 09:14', 'Aan: Bo', 'Onderwerp: Boot'],
  ],
  ['Swedish', ['Från: Anna Berg', 'Skickat: den 3 mars 2026 09:14', 'Till: Bo', 'Ämne: Båt']],
  ['Danish', ['Fra: Anna Berg', 'Sendt: 3. marts 2026 09:14', 'Til: Bo', 'Emne: Båd']],
  [
    'Finnish',
    [
      'Lähettäjä: Anna Berg',
      'Lähetetty: tiistai 3. maaliskuuta 2026',
      'Vastaanottaja: Bo',
      'Aihe: Vene',
    ],
  ],
  ['Polish', ['Od: Anna Berg', 'Wysłano: wtorek, 3 marca 2026 09:14', 'Do: Bo', 'Temat: Łódź']],
  ['Czech', ['Od: Anna Berg', 'Odesláno: úterý 3. března 2026 9:14', 'Komu: Bo', 'Předmět: Loď']],
  ['Russian', ['От: Anna Berg', 'Отправлено: 3 марта 2026 г. 9:14', 'Кому: Bo', 'Тема: Лодка']],
  [
    'Turkish',
    ['Kimden: Anna Berg', 'Gönderildi: 3 Mart 2026 Salı 09:14', 'Kime: Bo', 'Konu: Tekne'],
  ],
  ['Japanese', ['差出人: Anna Berg', '送信日時: 2026年3月3日 9:14', '宛先: Bo', '件名: 船']],
  ['Chinese', ['发件人: Anna Berg', '发送时间: 2026年3月3日 9:14', '收件人: Bo', '主题: 船']],
  ['Korean', ['보낸 사람: Anna Berg', '보낸 날짜: 2026년 3월 3일', '받는 사람: Bo', '제목: 배']],
]

describe('a copied header is the beginning of history', () => {
  test.each(FIELDS)('%s', (_, fields) => {
    const text = `Done.\n\n________________________________\n${fields.join('\n')}\n\nPlease do.\n`
    const { newText, quoted } = splitReply(text)
    expect(newText).toBe('Done.')
    expect(quoted[0]?.text).toContain('Please do.')
  })

  test('with bold labels and a field wrapped over two lines', () => {
    const text =
      'Done.\n\n*From:* Anna\n*Sent:* Tuesday\n*To:* Bo;\n Carl\n*Subject:* Boat\n\nPlease.'
    expect(splitReply(text).newText).toBe('Done.')
  })

  test.each([
    'Original Message',
    'Ursprüngliche Nachricht',
    "Message d'origine",
    'Mensaje original',
    'Messaggio originale',
    'Mensagem original',
    'Oorspronkelijk bericht',
    'Ursprungligt meddelande',
    'Opprinnelig melding',
    'Alkuperäinen viesti',
    'Oryginalna wiadomość',
    'Původní zpráva',
    'Исходное сообщение',
    'Orijinal İleti',
    '原始邮件',
    '元のメッセージ',
    '원본 메시지',
  ])('below a line of dashes: %s', (label) => {
    expect(splitReply(`Done.\n\n-----${label}-----\n\nPlease do.`)).toEqual({
      newText: 'Done.',
      quoted: [{ text: `-----${label}-----\n\nPlease do.` }],
    })
    expect(
      splitReply(`Done.\n\n------------------ ${label} ------------------\nPlease.`).newText,
    ).toBe('Done.')
  })
})
