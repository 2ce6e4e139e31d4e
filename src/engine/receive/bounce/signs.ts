// The first look at a mail: may it be a report of failure? Header alone, for it runs on every mail.
import { decodeWords } from './decode.ts'
import type { Header } from './header.ts'

/**
 * How much speaks for a report.
 * `system`: the sender is a mail system or the form is a report; phrases of everyday mail count too.
 * `likely`: the envelope or the subject says so; only the wording of a known mail system counts.
 */
export type Sign = 'system' | 'likely' | null

/** The fields of the first look. */
export const SIGN_FIELDS: ReadonlySet<string> = new Set([
  'content-type',
  'from',
  'subject',
  'return-path',
  'x-failed-recipients',
  'auto-submitted',
  'precedence',
  'x-autoreply',
  'x-autorespond',
  'list-id',
  'in-reply-to',
  'references',
])

/** The local parts that mail systems write from: RFC 5321 §4.5.1, RFC 2142 §5 and habit. */
const DAEMON =
  /mailer-?daemon|mail-?daemon|\bmdaemon@|\bpostmaster\b|mail\.delivery\.system|system administrator"?@|microsoftexchange[\da-f]{8,32}@|<\s*>/i
/** Display names and accounts that people seldom use, but others may. */
const ROLE =
  /mail delivery (?:sub)?(?:system|service)|mail administrator|internet mail delivery|(?:^|<)"?(?:admin(?:istrator)?|system|sysadmin|root|e?mail|mailer|smtp|no-?reply|do-?not-?reply|ndr|dsn|bounces?|imss|inetgw\d*|[\w.-]{0,60}(?:service|gateways?|antivirus|daemon))"?@/i

const REPORT_SUBJECT = new RegExp(
  String.raw`^(?:\[?postmaster\]?[\s:]*)?(?:${[
    'undeliver|returned (?:e?mail|message)|mail (?:returned|delivery|system error|error|failed|failure|could not|not delivered|undeliver|status)',
    '(?:e-?mail |message |permanent |temporary )?deliver(?:y|ing) (?:status|fail|error|problem|report|notification|delay|has|warning|has failed|unsuccessful|incomplete)',
    'failure (?:notice|delivery)|failed mail|failure|non-?deliver|could not (?:be )?(?:deliver|send)|not delivered|processing error|delayed mail|message (?:delayed|undeliver|deliver|not delivered|could not)',
    'warning: ?(?:message|could not send|.{0,100}user unknown)|automatically rejected|(?:mail|message|email) (?:rejected|refused|blocked)|rejected (?:mail|message)|unable to deliver|nondeliverable|your (?:message|mail|email) (?:to|was|could)',
    'unzustellbar|nicht zustellbar|zustellung|(?:ihre )?(?:nachricht|mail|e-mail) konnte nicht|non remis|[ée]chec de (?:la )?(?:remise|distribution|livraison)|non distribu|message non|retour de courrier',
    'no se (?:puede|pudo) entregar|mensaje (?:no entregado|devuelto)|error de entrega|correo devuelto|devuelto|não (?:foi )?(?:entregue|possível)|mensagem (?:não|devolvida)|falha na entrega|mancat[ao] (?:consegna|recapito)|messaggio non|non recapitabile',
    'onbestelbaar|niet bezorgd|kan niet worden|olevererbar|kan ikke leveres|kunde inte|uleverbar|ikke leveret|ei voi|toimitus',
    'не доставлен|недоставлен|не удалось доставить|ошибка доставки|ваше сообщение не|niedostarcz|nie można dostarczyć|zwrot|nedoručiteln|kézbesíthetetlen|teslim edilemedi|iletilemedi',
    '(?:メール|メッセージ)?(?:配信|送信)(?:不能|エラー|できません|失敗)|エラーメール|未配信|系统退信|退信|无法投递|邮件(?:投递|发送|传送)失败|投递失败|发送失败|無法傳遞|반송|배달되지|전달 실패',
  ].join('|')})|: (?:non remis|unzustellbar|undeliverable)\s*$|\(delivery failed\)\s*$`,
  'i',
)

/** RFC 3834 §5 and the fields of vacation programs: an answer, not a report. */
const isAnswer = (header: Header) =>
  /^auto-(?:replied|notified)/i.test(header('auto-submitted') ?? '') ||
  /auto_reply/i.test(header('precedence') ?? '') ||
  header('x-autoreply') !== undefined ||
  header('x-autorespond') !== undefined

/**
 * What the header says.
 * @param mailFrom the envelope sender, where it is known; empty for reports (RFC 5321 §4.5.5)
 */
export function signOf(header: Header, mailFrom?: string): Sign {
  if (isSystem(header)) return 'system'
  const empty = isEmptySender(mailFrom ?? header('return-path'))
  const subject = REPORT_SUBJECT.test(decodeWords(header('subject') ?? ''))
  if ((!empty && !subject) || isAnswer(header)) return null
  return ROLE.test(header('from') ?? '') || !isTalk(header, empty) ? 'likely' : null
}

/** By its sender or by its form: multipart/report (RFC 6522), or the field of Exim and Gmail. */
const isSystem = (header: Header) =>
  DAEMON.test(sendingAddress(header('from') ?? '')) ||
  /^\s*multipart\/report|report-type\s*=\s*"?delivery/i.test(header('content-type') ?? '') ||
  header('x-failed-recipients') !== undefined

/** A display name is anybody's choice. */
const sendingAddress = (from: string) => /<[^<>]{0,320}>/.exec(from)?.[0] ?? from

const isEmptySender = (sender: string | undefined) =>
  sender !== undefined && /^\s*<?\s*>?$|^<?mailer-daemon\b/i.test(sender)

/** A person on a list, or in a conversation, who asks about a report does not make one. */
const isTalk = (header: Header, empty: boolean) =>
  header('list-id') !== undefined ||
  (!empty && (header('in-reply-to') ?? header('references')) !== undefined)
