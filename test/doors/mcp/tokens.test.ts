import { Tiktoken } from 'js-tiktoken/lite'
import o200k from 'js-tiktoken/ranks/o200k_base'
import { expect, test } from 'vitest'
import { estimateTokens } from '../../../src/doors/mcp/tokens.ts'

const tokenizer = new Tiktoken(o200k)

/** Letters and digits in no order, the same in every run. */
function scrambled(length: number, alphabet: string): string {
  let state = 7
  return Array.from({ length }, () => {
    state = (state * 48_271) % 2_147_483_647
    return alphabet.charAt(state % alphabet.length)
  }).join('')
}
const CROCKFORD = '0123456789abcdefghjkmnpqrstvwxyz'

const TEXTS: Record<string, string> = {
  English:
    'Hello Ann,\n\nthank you for your order of last Tuesday. Unfortunately the blue lamp (item 4711-B) is out of stock until the end of November; we can send you the green one at once, or refund the €49.90 to your card. Please tell us by Friday which you prefer.\n\nKind regards,\nThe support team of Example Lighting Ltd.',
  German:
    'Sehr geehrte Frau Müller,\n\nvielen Dank für Ihre Bestellung vom vergangenen Dienstag. Leider ist die blaue Schreibtischlampe bis Ende November nicht lieferbar; wir können Ihnen stattdessen die grüne Ausführung sofort zuschicken oder den Rechnungsbetrag zurücküberweisen. Bitte geben Sie uns bis Freitag Bescheid.',
  French:
    "Bonjour Madame,\n\nmerci pour votre commande de mardi dernier. Malheureusement la lampe bleue n'est plus disponible avant la fin du mois de novembre; nous pouvons vous envoyer la verte immédiatement ou vous rembourser.",
  Polish:
    'Dzień dobry,\n\ndziękujemy za zamówienie złożone w zeszły wtorek. Niestety niebieska lampa jest niedostępna do końca listopada; możemy natychmiast wysłać zieloną albo zwrócić pieniądze.',
  Russian:
    'Здравствуйте, Анна!\n\nСпасибо за ваш заказ от прошлого вторника. К сожалению, синей лампы нет на складе до конца ноября; мы можем сразу отправить вам зелёную или вернуть деньги на карту.',
  Greek:
    'Καλημέρα σας,\n\nσας ευχαριστούμε για την παραγγελία της περασμένης Τρίτης. Δυστυχώς το μπλε φωτιστικό δεν είναι διαθέσιμο μέχρι το τέλος Νοεμβρίου.',
  Hebrew:
    'שלום אן, תודה על ההזמנה שלך מיום שלישי שעבר. לצערנו המנורה הכחולה אזלה מהמלאי עד סוף נובמבר.',
  Arabic:
    'مرحبا آن،\n\nشكرا لك على طلبك يوم الثلاثاء الماضي. للأسف المصباح الأزرق غير متوفر حتى نهاية نوفمبر؛ يمكننا أن نرسل لك المصباح الأخضر على الفور أو نعيد المبلغ إلى بطاقتك.',
  Hindi:
    'नमस्ते ऐन,\n\nपिछले मंगलवार के आपके ऑर्डर के लिए धन्यवाद। दुर्भाग्य से नीला लैंप नवंबर के अंत तक उपलब्ध नहीं है; हम आपको तुरंत हरा लैंप भेज सकते हैं या पैसे वापस कर सकते हैं।',
  Thai: 'สวัสดีค่ะ ขอบคุณสำหรับคำสั่งซื้อเมื่อวันอังคารที่แล้ว ขออภัยโคมไฟสีน้ำเงินหมดจนถึงสิ้นเดือนพฤศจิกายน',
  Chinese:
    '您好，安女士：\n\n感谢您上周二的订单。很遗憾，蓝色台灯在十一月底之前缺货；我们可以立即给您寄送绿色的，或者将款项退回您的银行卡。请在周五之前告诉我们您的选择。',
  Japanese:
    'アン様\n\n先週の火曜日にご注文いただきありがとうございます。申し訳ございませんが、青いランプは十一月末まで在庫がございません。緑色のものをすぐにお送りするか、ご返金いたします。',
  Korean:
    '안녕하세요, 안 님.\n\n지난 화요일에 주문해 주셔서 감사합니다. 죄송하지만 파란색 램프는 11월 말까지 재고가 없습니다. 초록색 램프를 바로 보내 드리거나 환불해 드릴 수 있습니다.',
  ids: Array.from({ length: 20 }, (_, i) => `thr_${scrambled(27 + i, CROCKFORD).slice(-26)}`).join(
    ' ',
  ),
  JSON: JSON.stringify(
    Array.from({ length: 10 }, (_, i) => ({
      thread_id: `thr_01kb4c0q5ye2q9v6m0000000${i}`,
      subject: `Order ${i}`,
      participants: ['Ann <ann@example.com>'],
      last_message_at: '2026-11-22T08:10Z',
      preview: 'Where is my order? I have been waiting',
    })),
  ),
  code: 'export function estimate(text: string): number {\n  let tokens = 0\n  for (const [, word] of text.matchAll(PIECES)) {\n    if (word !== undefined) tokens += ofWord(word)\n  }\n  return Math.ceil(tokens)\n}\n',
  hexadecimal: scrambled(400, '0123456789abcdef'),
  base64: scrambled(400, 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'),
  link: 'https://shop.example.com/orders/4711/track?utm_source=mail&utm_medium=newsletter&page=2',
  table:
    '| Item | Qty | Price |\n|------|-----|-------|\n| Lamp | 2 | 49.90 |\n\n---\n>>> quoted\n>> more\n',
  emoji: '🎉🎉 Great news!! 😀😀😀 👩‍👩‍👧‍👦 🇩🇪 ✅ ❤️',
  shouting: 'URGENT: YOUR ACCOUNT HAS BEEN SUSPENDED. CONTACT THE ADMINISTRATOR IMMEDIATELY.',
}

test.each(Object.entries(TEXTS))('%s is estimated near its true count', (_, text) => {
  const ratio = estimateTokens(text) / tokenizer.encode(text).length
  expect(ratio).toBeGreaterThan(0.9)
  expect(ratio).toBeLessThan(1.4)
})

test.each(['1', 'a', 'a1', 'é', '_', ' ', '\n', '<', '漢', '😀', 'a1é'])(
  'a megabyte of %j does not hold the server up',
  (piece) => {
    const text = piece.repeat(1_000_000 / piece.length)
    const start = performance.now()
    expect(estimateTokens(text)).toBeGreaterThan(0)
    // What backtracks takes minutes.
    expect(performance.now() - start).toBeLessThan(5_000)
  },
)
