import { describe, expect, test } from 'vitest'
import { splitReply } from '../../../../src/engine/receive/text/reply.ts'

const QUOTE = '> Shall we sail on Friday?\n> Bring the ropes.'

describe('signatures', () => {
  test.each([
    ['after the delimiter', '-- \nBo Lind\nHarbour Ltd'],
    ['after a delimiter without its space', '--\nBo'],
    ['after a long dash', '—\nBo'],
    [
      'of a list',
      '_______________________________________________\nboats mailing list\nhttps://lists.example/boats',
    ],
    ['a dash and a name', '-Bo Lind'],
    ['English', 'Sent from my iPhone'],
    ['English, Outlook', 'Get Outlook for iOS<https://aka.example/x>'],
    ['English, Windows', 'Sent from Mail for Windows'],
    ['English, Proton', 'Sent with Proton Mail secure email.'],
    ['German', 'Von meinem iPhone gesendet'],
    ['German, Samsung', 'Diese Nachricht wurde von meinem Android-Gerät mit GMX Mail gesendet.'],
    ['French', 'Envoyé de mon iPhone'],
    ['Spanish', 'Enviado desde mi iPhone'],
    ['Italian', 'Inviato da iPhone'],
    ['Portuguese', 'Enviado do meu iPhone'],
    ['Dutch', 'Verstuurd vanaf mijn iPhone'],
    ['Swedish', 'Skickat från min iPhone'],
    ['Danish', 'Sendt fra min iPhone'],
    ['Finnish', 'Lähetetty iPhonesta'],
    ['Polish', 'Wysłane z iPhone’a'],
    ['Czech', 'Odesláno z iPhonu'],
    ['Russian', 'Отправлено с iPhone'],
    ['Turkish', "iPhone'umdan gönderildi"],
    ['Japanese', 'iPhoneから送信'],
    ['Chinese', '发自我的iPhone'],
    ['Korean', '나의 iPhone에서 보냄'],
  ])('%s', (_, signature) => {
    expect(splitReply(`Friday suits me.\n\n${signature}`).newText).toBe('Friday suits me.')
    expect(splitReply(`Friday suits me.\n\n${signature}\n\n${QUOTE}`).newText).toBe(
      'Friday suits me.',
    )
  })

  test('nothing but a signature stays', () => {
    expect(splitReply('Sent from my iPhone').newText).toBe('Sent from my iPhone')
  })

  test.each([
    ['words of parting', 'Fine.\n\nKind regards,\nBo'],
    ['a sentence about a phone', 'The photo was sent from my phone yesterday. Did you get it?'],
    ['a list', 'We need:\n- Rope\n- Sail'],
    [
      'a line of dashes in a long text',
      `One\n--\n${'A sentence that goes on.\n'.repeat(40)}`.trimEnd(),
    ],
  ])('%s is no signature', (_, text) => {
    expect(splitReply(text).newText).toBe(text)
  })
})
