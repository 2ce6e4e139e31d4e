import { describe, expect, test } from 'vitest'
import { languageOf } from '../../../src/engine/documents/language.ts'
import { questionWords, wordsOf } from '../../../src/engine/documents/words.ts'

describe('words', () => {
  test('a code is found however it is separated, and by its number', () => {
    for (const spelling of ['ERR-4711', 'err_4711', 'ERR.4711', 'Err/4711']) {
      expect(wordsOf(spelling)).toEqual(['err', '4711', 'err4711'])
    }
    expect(questionWords('ERR-4711')).toEqual([{ forms: ['err4711', '4711'], weight: 3 }])
    expect(questionWords('err4711')).toEqual([{ forms: ['err4711'], weight: 3 }])
  })

  test('thousands and full-width signs are written in one way', () => {
    expect(wordsOf("1,000 10'000 １２")).toEqual(['1000', '10000', '12'])
  })

  test('a hyphen neither hides a word nor its parts', () => {
    expect(wordsOf('e-mail')).toContain('email')
    expect(questionWords('aero-elastic').map(({ forms }) => forms)).toEqual([
      ['aero'],
      ['elastic', 'aeroelastic'],
    ])
  })

  test('scripts without spaces are found by pairs, apart at a change of script', () => {
    expect(wordsOf('返品期限はカード')).toEqual(['返品', '品期', '期限', 'は', 'カー', 'ード'])
    expect(wordsOf('환불은')).toEqual(['환불', '불은'])
  })

  test('a question leaves out what only asks, unless there is nothing else', () => {
    expect(questionWords('please tell us refund').map(({ forms }) => forms[0])).toEqual(['refund'])
    expect(questionWords('tell')).toHaveLength(1)
    expect(questionWords('refund Refund REFUND')).toHaveLength(1)
  })
})

test.each([
  ['Customers may return the goods within 30 days.', 'english'],
  ['Die Ware kann nicht mit der Post geschickt werden.', 'german'],
  ['Les clients peuvent renvoyer les articles dans les 30 jours.', 'french'],
  ['Los clientes pueden devolver los artículos en la tienda.', 'spanish'],
  ['Клиенты могут вернуть товар.', 'russian'],
  ['返品は30日以内です。', 'simple'],
  ['ERR-4711', 'english'],
])('%s is %s', (text, language) => {
  expect(languageOf(text)).toBe(language)
})
