// What mails say around a one-time code, by language. Data only; the rules are in codes.ts.

/** Alternatives of a regular expression. "Verification code" and its like: a code follows. */
export const SURE_WORDS = [
  // English
  '(?:verification|security|confirmation|log-?in|sign-?in|sign-?on|access|auth(?:entication|orization)?|activation|reset|recovery|single[- ]use|temporary|verify|2fa|two-factor|mfa) ?-?(?:code|pin|passcode|number)|one[- ]?time ?-?(?:pass(?:word|code)?|code|pin)|passcode|\\botp\\b|code to (?:log|sign|verify|confirm|continue|complete)|code for (?:your )?(?:log|sign)',
  // German
  '(?:best[äa]tigungs|sicherheits|verifizierungs|anmelde|zugangs|freischalt|aktivierungs|einmal|pr[üu]f|login-?|zugriffs|authentifizierungs)-?(?:code|pin|kennwort|passwort|nummer)|\\btan\\b',
  // French
  "code (?:de |d['’]|à )(?:v[ée]rification|s[ée]curit[ée]|confirmation|connexion|validation|acc[èe]s|activation|authentification|usage unique)|mot de passe (?:à usage unique|temporaire|provisoire)|code (?:temporaire|secret|unique)",
  // Spanish, Portuguese, Italian
  "c[óo]digo (?:de |para )(?:verificaci[óo]n|seguridad|confirmaci[óo]n|acceso|inicio|un solo uso|activaci[óo]n|autenticaci[óo]n|validaci[óo]n|uso [úu]nico|verifica[çc][ãa]o|seguran[çc]a|confirma[çc][ãa]o|acesso|login|ativa[çc][ãa]o)|contrase[ñn]a (?:de un solo uso|temporal)|clave (?:temporal|din[áa]mica|de acceso|de un solo uso)|senha (?:tempor[áa]ria|de uso [úu]nico)|codice (?:di |d[’'])(?:verifica|sicurezza|conferma|accesso|attivazione|autenticazione)|codice (?:otp|monouso|temporaneo)",
  // Dutch, Nordic, Polish, Czech, Turkish
  '(?:verificatie|beveiligings|bevestigings|inlog|toegangs|activerings|verifierings|s[äa]kerhets|engångs|engangs|bekreftelses|bekr[æa]ftelses|verifikations|verifiserings|sikkerheds|sikkerhets|vahvistus|kertakäyttö|turva)-?(?:code|kod|kode|koden|koodi|koodisi)|kod (?:weryfikacyjny|bezpiecze[ńn]stwa|potwierdzaj[ąa]cy|jednorazowy|dost[ęe]pu|logowania|aktywacyjny)|ov[ěe][řr]ovac[íi] k[óo]d|(?:do[ğg]rulama|onay|g[üu]venlik|giri[şs]) kodu',
  // Russian, Ukrainian
  '(?:код[а-я]* (?:подтверждения|безопасности|доступа|проверки|авторизации|активации|для входа|підтвердження|безпеки)|одноразов[а-яії]+ (?:код|пароль)|проверочн[а-я]+ код)',
  // Chinese, Japanese, Korean
  '验证码|驗證碼|校验码|校驗碼|动态码|動態碼|动态密码|確認碼|确认码|认证码|認證碼|安全码|安全碼|登录码|登入碼|一次性密码|一次性密碼|一次性验证码',
  '認証コード|確認コード|検証コード|ワンタイムパスワード|ワンタイムコード|セキュリティコード|セキュリティ コード|認証番号|ログインコード|認証キー|パスコード|本人確認コード',
  '인증\\s?번호|인증\\s?코드|확인\\s?코드|보안\\s?코드|일회용\\s?(?:비밀번호|코드)|로그인\\s?코드',
] as const

/** They can speak of a one-time code, and of much else. */
export const HINT_WORDS = [
  '\\b(?:code|codes|pin|token|kode|kod|koodi|codice|c[óo]digo|kennwort|passwort|clave|parola)\\b',
  '(?<![а-яё])код(?![а-яё]{3})|пароль|代码|代碼|密码|密碼|コード|暗証番号|코드|비밀번호',
] as const

/** A number after one of these is something else. */
export const OTHER_WORDS = [
  '\\b(?:order|invoice|ticket|tracking|booking|reservation|customer|client|case|reference|ref|postal|zip|area|promo(?:tion(?:al)?)?|discount|coupon|voucher|gift|referral|error|status|dial(?:ling)?|country|bar|product|article|item|qr|serial|version|build|port|tel|fax|call|model|sku|flight|room|member(?:ship)?|policy|contract|swift|sort|tax|vat|source|exit|http|dress|po box|sales)\\b|(?:account|phone|mobile) ?(?:number|no|nr|id|#)',
  'bestell|rechnung|auftrag|kundennummer|kunden-?nr|vorgang|gutschein|rabatt|\\bplz\\b|postleitzahl|fehler|aktenzeichen|telefon|sendungs|vertrags|mitglieds|artikel|buchung',
  'commande|facture|dossier|promo|r[ée]duction|postal|erreur|t[ée]l[ée]phone|colis|bon d|remise|r[ée]servation|adh[ée]rent',
  'pedido|factura|fatura|cliente|promoci|descuento|desconto|postal|tel[ée]fono|telefone|env[íi]o|reserva|cup[óo]n|cupom|incidencia|fattura|ordine|sconto|prenotazione|spedizione',
  'bestelling|factuur|klantnummer|kortingscode|zam[óo]wieni|faktur|rabat|objedn|slevov|sipari[şs]|заказ|сч[её]т|промокод|скидк|телефон|индекс',
  '订单|訂單|发票|發票|单号|單號|邮编|郵遞|优惠|優惠|折扣|电话|電話|客服|错误|錯誤|编号|編號|运单|快递',
  '注文|請求書|伝票|クーポン|郵便|エラー|電話|お客様番号|予約|会員番号|追跡|問い合わせ|割引|受付番号|管理番号|주문|송장|쿠폰|우편|전화|고객|예약|오류|운송장',
] as const

/** A one-time code does not last. */
export const EXPIRY_WORDS = [
  "expir|valid for|valid until|minutes?|do not share|don[’']t share|never share|g[üu]ltig|minuten|l[äa]uft .{0,20}ab|valable|partagez pas|caduca|v[áa]lid|compart|scad|verlo?op|geldig|wa[żz]n|действит|никому|не сообщайте",
  '分钟|分鐘|有效|过期|過期|泄露|洩露|告知他人|分以内|分間|有効|期限|他人|분\\s?(?:이내|동안|내)|유효|만료',
] as const
