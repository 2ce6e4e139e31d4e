// How mail programs introduce an earlier mail: English, Romance and Northern languages. Data only.

/** Alternatives are separated by `|`. */
export interface ReplyLanguage {
  /** What an introduction begins with before the date. */
  on?: string
  /** The verb of "X wrote". */
  wrote?: string
  /** "Original message", between dashes. */
  original?: string
  /** "Forwarded message", between dashes or with a colon. */
  forwarded?: string
  /** The fields of a copied header. */
  from?: string
  date?: string
  to?: string
  subject?: string
  copy?: string
  /** A subject prefix that says "forwarded". */
  prefix?: string
}

export const WESTERN: Record<string, ReplyLanguage> = {
  en: {
    on: 'On|At',
    wrote: 'wrote|writes|sent|has written|quoting',
    original: 'Original Message|Original Email|Original Mail|Reply Message',
    forwarded: 'Forwarded message|Begin forwarded message|Forwarded by|Forwarded mail',
    from: 'From',
    date: 'Date|Sent',
    to: 'To',
    subject: 'Subject',
    copy: 'Cc|Bcc|Reply-To|Importance|Attachments',
    prefix: 'Fwd|FW',
  },
  de: {
    on: 'Am|Den',
    wrote: 'schrieb|schrieben|geschrieben|schreibt|zitat von',
    original: 'Ursprüngliche Nachricht|Original-Nachricht|Originalnachricht|Urspr. Nachricht',
    forwarded:
      'Weitergeleitete Nachricht|Anfang der weitergeleiteten Nachricht|Weitergeleitete E-Mail',
    from: 'Von',
    date: 'Gesendet|Datum|Gesendet am',
    to: 'An',
    subject: 'Betreff',
    copy: 'Kopie|Antwort an',
    prefix: 'WG',
  },
  fr: {
    on: 'Le',
    wrote: 'a écrit|écrit|a ecrit|écrivait',
    original: "Message d'origine|Message original|Message d’origine|E-mail d'origine",
    forwarded:
      'Message transféré|Message transmis|Début du message réexpédié|Message réexpédié|Début du message transféré',
    from: 'De|Expéditeur',
    date: 'Envoyé|Date|Envoyé le',
    to: 'À|A|Pour|Destinataire',
    subject: 'Objet|Sujet',
    copy: 'Copie à|Répondre à',
    prefix: 'TR|Tr',
  },
  es: {
    on: 'El',
    wrote: 'escribió|escribio|ha escrito|citando a',
    original: 'Mensaje original|Correo original',
    forwarded: 'Mensaje reenviado|Inicio del mensaje reenviado|Forwarded message',
    from: 'De|Desde',
    date: 'Enviado|Fecha|Enviado el',
    to: 'Para',
    subject: 'Asunto',
    prefix: 'RV|Rv',
  },
  it: {
    on: 'Il giorno|Il',
    wrote: 'ha scritto|scritto|scrisse|scrive',
    original: 'Messaggio originale|Messaggio Originale',
    forwarded: 'Messaggio inoltrato|Inizio messaggio inoltrato',
    from: 'Da',
    date: 'Inviato|Data',
    to: 'A',
    subject: 'Oggetto',
    prefix: 'I',
  },
  pt: {
    on: 'Em|No dia|A',
    wrote: 'escreveu|escreveram',
    original: 'Mensagem original|Mensagem Original',
    forwarded:
      'Mensagem encaminhada|Mensagem reencaminhada|Início da mensagem encaminhada|Início da mensagem reencaminhada',
    from: 'De',
    date: 'Enviada em|Enviado|Data|Enviada|Enviado em',
    to: 'Para',
    subject: 'Assunto',
    prefix: 'ENC|Enc',
  },
  nl: {
    on: 'Op',
    wrote: 'schreef|geschreven|schreven',
    original: 'Oorspronkelijk bericht|Origineel bericht|Originele bericht',
    forwarded: 'Doorgestuurd bericht|Begin doorgestuurd bericht',
    from: 'Van',
    date: 'Verzonden|Datum|Verstuurd',
    to: 'Aan',
    subject: 'Onderwerp',
    prefix: 'Doorst',
  },
  sv: {
    on: 'Den',
    wrote: 'skrev|skriver',
    original: 'Ursprungligt meddelande|Originalmeddelande|Ursprungligt mail',
    forwarded: 'Vidarebefordrat meddelande|Vidarebefordrat brev|Forwarded message',
    from: 'Från',
    date: 'Skickat|Datum|Sänt',
    to: 'Till',
    subject: 'Ämne',
    copy: 'Kopia',
    prefix: 'VB',
  },
  da: {
    on: 'Den|D.',
    wrote: 'skrev|skriver',
    original: 'Oprindelig meddelelse|Oprindelig besked|Original meddelelse',
    forwarded: 'Videresendt meddelelse|Videresendt besked|Start på videresendt besked',
    from: 'Fra',
    date: 'Sendt|Dato',
    to: 'Til',
    subject: 'Emne',
  },
  no: {
    on: 'På|Den',
    wrote: 'skrev|skreiv',
    original: 'Opprinnelig melding|Original melding',
    forwarded: 'Videresendt melding|Videresendt e-post',
    from: 'Fra',
    date: 'Sendt|Dato',
    to: 'Til',
    subject: 'Emne',
    copy: 'Kopi',
  },
  fi: {
    wrote: 'kirjoitti|lähetti',
    original: 'Alkuperäinen viesti|Alkuperäinen sähköposti',
    forwarded: 'Välitetty viesti|Edelleenlähetetty viesti|Välitetty viesti alkaa',
    from: 'Lähettäjä',
    date: 'Lähetetty|Päivämäärä|Päiväys',
    to: 'Vastaanottaja',
    subject: 'Aihe',
    copy: 'Kopio',
    prefix: 'VL',
  },
}
