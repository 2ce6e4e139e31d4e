// Whether a mail's text part stands in for its HTML, or only says to look there.

/** Shorter than this a text part may be a mere notice. */
const NOTICE_LENGTH = 600
/** A text part with less than this share of its words in the visible HTML says something else. */
const LEAST_SHARED = 0.5
const WORDS_LIMIT = 20_000
const FEW_WORDS = 8

const NOTICES = new RegExp(
  [
    '(?:view|read|see|open|display).{0,60}(?:html|browser|online|web version|webpage)',
    'html.{0,40}(?:reader|viewer|client|version|compatible|enabled|format|e-?mail)',
    '(?:does not|doesn.t|cannot|can.t|unable to) (?:support|display|show|read|render).{0,40}(?:html|message|mail)',
    'im browser|html-f[äa]hig|html-ansicht|online-version|onlineversion|webversion',
    'navigateur|version (?:en ligne|html)|format html|au format web',
    'navegador|versi[óo]n (?:web|html|en l[íi]nea)|formato html|vers[ãa]o (?:web|html)',
    'versione (?:web|html|online)|in de browser|webbl[äa]saren|przegl[ąa]dar|prohl[íi][žz]e[čc]|taray[ıi]c[ıi]|браузер',
    '浏览器|瀏覽器|html邮件|ブラウザ|htmlメール|html形式|브라우저',
  ].join('|'),
  'iu',
)

/**
 * @param plain the text part
 * @param visible what a person sees of the HTML
 */
export function isStub(plain: string, visible: string): boolean {
  const said = plain.trim()
  if (said === '') return true
  if (visible.trim() === '') return false
  const rest = said.replace(/https?:\/\/\S+/g, '').trim()
  if (rest.length < FEW_WORDS * 2 && visible.length > said.length * 2) return true
  if (said.length < NOTICE_LENGTH && rest.length < visible.length && NOTICES.test(said)) return true
  return saysElse(said, visible)
}

/** A text part that no person is shown could tell an agent anything. */
function saysElse(said: string, visible: string): boolean {
  const seen = wordsOf(visible)
  const words = [...wordsOf(said)]
  if (words.length < FEW_WORDS) return false
  return words.filter((word) => seen.has(word)).length < words.length * LEAST_SHARED
}

function wordsOf(text: string): Set<string> {
  const words = new Set<string>()
  for (const [word] of text.matchAll(/\p{Script=Han}|[\p{L}\p{N}]{2,}/gu)) {
    words.add(word.toLowerCase())
    if (words.size >= WORDS_LIMIT) break
  }
  return words
}
