// What a mail program or a person puts under every mail. Words of parting stay: a person wrote them.

/** More text than this below `--` is no signature. */
const SIGNATURE_LINES = 15
const SIGNATURE_LENGTH = 1_200
const FOOTERS = 4

/**
 * Takes the signature off the end of a passage; nothing is left of a passage that is nothing else.
 * Known: the `-- ` line (RFC 3676 §4.3), "Sent from my phone" of mail programs, a list's footer,
 * a dash and a name.
 */
export function withoutSignature(lines: readonly string[]): readonly string[] {
  return cutFooters(cutDelimited(lines))
}

const isFilled = (line: string) => line.trim() !== ''
const DELIMITER = /^\s{0,2}(?:--|—|––|__)\s*$/
const LIST_DELIMITER = /^_{30,}\s*$/

function cutDelimited(lines: readonly string[]): readonly string[] {
  const first = Math.max(0, lines.length - SIGNATURE_LINES * 2)
  for (let at = first; at < lines.length; at += 1) {
    const line = lines[at] ?? ''
    if (DELIMITER.test(line) && isShort(lines.slice(at + 1))) return lines.slice(0, at)
    const isList = LIST_DELIMITER.test(line) && /list|https?:/i.test(lines[at + 1] ?? '')
    if (isList && isShort(lines.slice(at + 1))) return lines.slice(0, at)
  }
  return lines
}

function isShort(lines: readonly string[]): boolean {
  const filled = lines.filter(isFilled)
  return filled.length <= SIGNATURE_LINES && filled.join('\n').length <= SIGNATURE_LENGTH
}

function cutFooters(lines: readonly string[]): readonly string[] {
  let end = lines.length
  let cut = lines
  for (let times = 0; times < FOOTERS; times += 1) {
    while (end > 0 && !isFilled(lines[end - 1] ?? '')) end -= 1
    const line = (lines[end - 1] ?? '').trim()
    if (!isProgramFooter(line) && !isDashedName(lines, end - 1)) return cut
    end -= 1
    cut = lines.slice(0, end)
  }
  return cut
}

/** "sent" as mail programs say it, with the name of a program or a device on the same line. */
const SENT = new RegExp(
  [
    'sent (?:from|via|using|with|wirelessly|by)|get outlook|posted (?:from|via)',
    'gesendet|von meinem .{2,40} gesendet|verschickt (?:von|mit)|diese nachricht wurde von meinem',
    'envoyé|envoye |enviad[oa]|mandado desde|inviat[oa]|scritto da|escrit[oa] (?:desde|do)',
    'verzonden|verstuurd|skickat|sendt fra|sendt via|lähetetty|wysłan[oe]|odesláno|odoslané',
    'отправлено|надіслано|gönderildi|küldve|trimis (?:de|din)|poslano|στάλθηκε|được gửi từ|dikirim dari',
    '发自|發自|从我的|從我的|来自我的|傳送自|から送信|보냄|נשלח|أرسلت|أُرسلت|télécharg.{1,20}outlook|baixe o outlook|holen sie sich outlook|obtener outlook|obtenir outlook|scarica outlook',
  ].join('|'),
  'iu',
)
const DEVICE =
  /iphon|ipad|ipod|android|samsung|galaxy|huawei|xiaomi|redmi|oneplus|pixel|nokia|htc|motorola|lumia|blackberry|windows|smartphone|mobil|handy|phone|tablet|telefon|téléphone|teléfono|телефон|手机|手機|携帯|スマート|휴대|\bmail\b|mail für|почт|outlook|yahoo|gmail|proton|thunderbird|spark|airmail|superhuman|gmx|web\.de|zoho|tutanota|aol|apple|mac\b/iu

function isProgramFooter(line: string): boolean {
  return (
    line.length > 0 && line.length < 140 && SENT.test(line.slice(0, 100)) && isAboutDevice(line)
  )
}

/** A sentence about phones goes on; a footer says no more than this. */
function isAboutDevice(line: string): boolean {
  return DEVICE.test(line) && line.split(/\s+/).length <= 14 && !/[.!?]\s+\p{Lu}\p{Ll}/u.test(line)
}

/** "-roman", "– Anna Berg": not an item of a list, which has an item before it. */
function isDashedName(lines: readonly string[], at: number): boolean {
  const line = (lines[at] ?? '').trim()
  if (
    !/^[-–—]{1,2}(?:\p{L}[\p{L}.'’-]{1,20}|\s?\p{Lu}[\p{L}.'’]{1,20}(?: \p{Lu}[\p{L}.'’-]{0,20}){0,2})\.?$/u.test(
      line,
    )
  ) {
    return false
  }
  const before = lines.slice(0, at).filter(isFilled)
  return before.length > 0 && !/^\s*[-–—*•]/.test(before.at(-1) ?? '')
}
