import { describe, expect, test } from 'vitest'
import { findCodes } from '../../../../src/engine/receive/text/codes.ts'

const values = (text: string, subject = '') => findCodes(text, subject).map(({ value }) => value)

describe('a one-time code is found by the words around it', () => {
  test.each([
    [
      'English, in a sentence',
      'Your verification code is 482913. It expires in 10 minutes.',
      '482913',
    ],
    [
      'English, code first',
      '771204 is your Harbour login code. Do not share it with anyone.',
      '771204',
    ],
    [
      'English, standing alone',
      'Use this code to sign in:\n\n  90 31 77\n\nThe Harbour team',
      '903177',
    ],
    ['English, grouped', 'Enter the security code 493-201 to continue.', '493201'],
    ['English, four digits', 'Your one-time PIN: 4471', '4471'],
    ['English, spaced digits', 'Here is your one-time passcode:\n5 0 2 8 8 1', '502881'],
    ['German', 'Ihr Bestätigungscode lautet 773920 und ist 15 Minuten gültig.', '773920'],
    ['German, alone', 'Bitte gib diesen Sicherheitscode ein:\n\n118204\n\nViele Grüße', '118204'],
    ['French', 'Votre code de vérification est : 604418', '604418'],
    ['French, below', "Voici votre code d'accès :\n\n2085\n\nIl expire dans 5 minutes.", '2085'],
    ['Spanish', 'Tu código de verificación es 330917. Caduca en 10 minutos.', '330917'],
    ['Italian', 'Il tuo codice di verifica è 559102', '559102'],
    ['Portuguese', 'Seu código de segurança: 120884', '120884'],
    ['Dutch', 'Je verificatiecode is 667301', '667301'],
    ['Polish', 'Twój kod weryfikacyjny: 804412', '804412'],
    ['Russian', 'Ваш код подтверждения: 915530. Никому не сообщайте его.', '915530'],
    ['Swedish', 'Din verifieringskod är 220194', '220194'],
    ['Turkish', 'Doğrulama kodu: 630118', '630118'],
    ['Chinese', '您的验证码是 583920，5分钟内有效，请勿泄露。', '583920'],
    ['Chinese, without spaces', '【海港】验证码：047182，请在10分钟内输入。', '047182'],
    ['Chinese, traditional', '您的驗證碼為 661902', '661902'],
    ['Japanese', '認証コードは 739105 です。10分以内に入力してください。', '739105'],
    ['Japanese, alone', 'ワンタイムパスワード\n\n284411\n\n有効期限は5分です。', '284411'],
    ['Korean', '인증번호 [449201]를 입력해 주세요.', '449201'],
  ])('%s', (_, text, code) => {
    expect(findCodes(text)).toEqual([
      {
        value: code,
        kind: 'numeric',
        confidence: expect.toSatisfy((sure) => sure >= 0.5 && sure < 1),
      },
    ])
  })

  test.each([
    ['letters and digits', 'Your confirmation code: X7K29Q', 'X7K29Q'],
    ['two groups', 'Confirm your address with this security code:\n\nTQK-PZD\n', 'TQK-PZD'],
    ['a prefix', 'G-204418 is your verification code.', 'G-204418'],
  ])('%s', (_, text, code) => {
    expect(findCodes(text)).toEqual([
      { value: code, kind: 'alphanumeric', confidence: expect.any(Number) },
    ])
  })

  test('the subject may hold it', () => {
    expect(
      values('Somebody signs in from Oslo.', '440172 is your Harbour verification code'),
    ).toEqual(['440172'])
  })

  test('a sure sentence ranks above a hint', () => {
    const [first, second] = findCodes(
      'Your verification code is 482913.\nThe old code 117733 was void.',
    )
    expect(first?.value).toBe('482913')
    expect(first?.confidence).toBeGreaterThan(second?.confidence ?? 0)
  })
})

describe('what is no one-time code', () => {
  test.each([
    ['a year', 'Our code of conduct of 2024 applies. Verification started in 2023.'],
    ['a price', 'Your access code package costs $4999 or 5,200 EUR, VAT included.'],
    ['a date', 'Code review on 2024-11-05, confirmed 05.11.2024 at 16:30.'],
    ['a phone number', 'If you did not ask for a code call +1 415 555 0134 or 0800-555199.'],
    ['an order number', 'Your order number is 482913. Thank you for the code of your shop.'],
    ['an invoice', 'Rechnung 2024113 ist da. Den Code finden Sie im Portal.'],
    ['a postal code', 'Ship to postal code 94107 please.'],
    ['a discount code', 'Use promo code 204050 and save today!'],
    ['a discount code in letters', 'Your discount code: SUMMER2024'],
    ['a French order', 'Commande n° 558201 expédiée. Le code est dans le colis.'],
    ['a Spanish invoice', 'Factura 771203: el código está en la web.'],
    ['a Chinese order', '您的订单 88210345 已发货，代码见官网。'],
    ['a Japanese order', '注文番号 5582013 のコードについてのお知らせ'],
    ['an error code', 'The build failed with error code 500123.'],
    ['a number without any word of a code', 'We met 482913 people.'],
    ['a part of a link', 'Your verification code page: https://h.example/482913/770011'],
    ['a word in capitals', 'IMPORTANT: your security code SETTINGS have changed.'],
  ])('%s', (_, text) => {
    expect(findCodes(text)).toEqual([])
  })
})
