// What reports of failure say, in the languages of the mail systems that were translated.

const anyOf = (...phrases: readonly string[]) => new RegExp(phrases.join('|'), 'i')

/** A mail was not delivered. */
export const FAILURE = anyOf(
  String.raw`(?:could ?n[o']t|can ?not|can't|unable to|not able to|failed to|was ?n['o]t|been) (?:be )?(?:deliver|delivered|send|sent)\b`,
  'not (?:been |be )?delivered|undeliver(?:able|ed)|non-?delivery|did not reach|delivery (?:has |to .{1,60})?failed',
  'deliver(?:y|ed)? (?:attempt|error|problem|failure)|problems? (?:with|to) (?:the )?(?:delivery|local user)',
  'user unknown|unknown user|no such (?:user|mailbox|address|recipient|account)|mailbox (?:is )?(?:full|unavailable)',
  'no longer valid|does not exist|over quota|quota violation|exceed(?:s|ed|ing)? .{0,20}quota|following (?:recipient|address)',
  'konnte nicht (?:zugestellt|übermittelt|ausgeliefert)|nicht zustellbar|unzustellbar|zustellung .{0,40}fehlgeschlagen',
  "n'a pas (?:pu|été) .{0,20}(?:remis|distribué|délivré|delivre|livré|acheminé)|n'ont pas pu|échec de (?:la )?(?:remise|livraison|distribution)|n'existe pas",
  'no (?:pudo|se pudo|ha podido|puede|se puede) .{0,20}(?:entrega|enviar)|no (?:fue|ha sido) entregad|error (?:de|en la) entrega|no entregado',
  'não (?:pôde|pode|foi possível|foi) .{0,20}(?:entreg|enviad)|falha (?:na|de) entrega|nao pode ser',
  'non (?:è stato possibile|può essere|è stato) .{0,20}(?:recapit|consegn)|mancat[oa] (?:recapito|consegna)|impossibile (?:recapitare|consegnare)',
  'kan niet worden (?:bezorgd|afgeleverd)|niet (?:bezorgd|afgeleverd)|onbestelbaar',
  'kunde inte (?:levereras|leverera)|kan ikke leveres|kunne ikke (?:leveres|afleveres)|ikke leveret|ei voitu toimittaa|ei voida toimittaa',
  'не (?:может быть|было|было возможно|удалось|удается) .{0,20}(?:доставл|достав)|не доставлен|недоставлен|ошибка доставки',
  'nie (?:można|udało się|została) .{0,20}(?:dostarcz)|nelze doručit|nebylo možné doručit|nepodařilo doručit|nem kézbesíthető|teslim edilemedi|iletilemedi',
  '(?:配信|送信|配達)(?:できません|できなかった|不能|されません|に失敗)|無法(?:傳送|投遞|寄送|遞送)|无法(?:投递|发送|送达|传送|递送)|投递失败|发送失败|退信',
  '(?:배달|전송|전달)(?:되지|하지|할 수|에 실패| 실패)|반송',
)

/** The mail still waits; it will be tried again. */
export const DELAY = anyOf(
  'not yet (?:been )?(?:received|delivered)|has been (?:delayed|postponed)|is delayed|delivery (?:is )?delayed|still (?:being retried|awaiting|waiting|in the queue)',
  'will (?:be retried|continue (?:to (?:try|attempt|be)|trying|attempting|for)|keep trying|try again|be (?:sent|tried) again)|(?:attempts|retries) will continue',
  '(?:this is (?:only )?a|just a|only a) (?:temporary )?(?:warning|notification about a delay|delay)|warning (?:message )?only|need to resend',
  'wird (?:weiter|erneut) versucht|weitere zustellversuche|verzögert|sera retardé|nouvelle tentative|se seguirá intentando|retrasad[oa]|atrasad[oa]|continuerà a|ritardat[oa]',
  'попытки доставки будут|доставка .{0,30}задержан|まだ配信されていません|再送|配信が遅れ|延迟|延遲|稍后重试|지연',
)

/** It will not. These words outweigh those. */
const FINAL = anyOf(
  "permanent(?:ly)? (?:fatal |delivery )?(?:error|fail)|failed permanently|(?:i've |i have |have |has )given up|giving up|not going to try|no further attempts",
  'permanent (?:fatal )?(?:error|failure)|has been (?:removed from the (?:mail )?queue|returned)|aborted after|will not be (?:retried|delivered)',
)

/** Says whether a report is about a delay and no more. */
export const tellsOfDelay = (text: string) => DELAY.test(text) && !FINAL.test(text)

/**
 * The line after which the report speaks of the mail itself, or brings it. Short lines only: a
 * sentence that happens to hold the words ends nothing.
 */
export const RETURNED = anyOf(
  String.raw`^(?!.*original message was received)[\s\-=*_#|>+:.(]{0,80}(?:${[
    '(?:below this line|below the next line|below|this|here|included|attachment) is (?:a|the) copy of|a copy of the original',
    '(?:the |your |start of |non-?delivered |undelivered |unsent |returned )*(?:original |returned |unsent |undelivered )(?:message|mail|email|e-mail)(?: (?:follows|attached|below|header|text|body|details).{0,40})?[^a-z]*$',
    'returned mail(?: follows)?[^a-z]*$|forwarded message|message (?:headers?|text|body|contents?) (?:follows?|suppressed)|(?:possibly )?truncated original message',
    'original message (?:follows|header|attached|as received|details|text)|the (?:header|headers|first|original message).{0,40}(?:follow|following|is following)',
    'the header and top \\d+ lines|old message|header of the source|your message reads|the following (?:is|text is) a copy|the non-delivered message is attached|a summary of the undelivered message',
    '原信|原文|原邮件|mensaje original|message original|ursprüngliche nachricht|originalnachricht|messaggio originale|mensagem original|oprindelig|исходное сообщение|копия (?:вашего )?(?:сообщения|письма)',
  ].join('|')})`,
)
