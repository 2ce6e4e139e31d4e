// The mail systems that report in words: how each is recognised and how its recipients are read.
import { ADDRESS } from './address.ts'
import { FAILURE } from './phrases.ts'

/**
 * One row of the table. Lines are tried alone and joined with the line before, paragraphs joined
 * to one line, so that a phrase may be wrapped anywhere.
 */
export interface MailSystem {
  system: string
  /** The line after which the recipients are listed. */
  opens?: RegExp
  /** How an entry of that list is written, where it is not one of the common ways. */
  entry?: RegExp
  /** Entries are local parts; the domain is that of the reporting system. */
  local?: true
  /** A sentence that names one recipient, in its group `address`. */
  says?: RegExp
  /** The phrase is also one of ordinary mail: read only where the sender is a mail system. */
  common?: true
}

const A = `["'(\\[<]{0,3}(?:smtp:|mailto:)?(?<address>${ADDRESS})`
/** A sentence in which `@@` stands for the recipient. */
const says = (pattern: string) =>
  new RegExp(
    pattern.replace('@@', () => A),
    'gi',
  )
const angled = new RegExp(`^\\s{0,4}<(?<address>${ADDRESS})>(?<rest>.*)$`, 'i')
const x400 = new RegExp(`(?:\\bSMTP=|^\\s{0,4})(?<address>${ADDRESS})(?<rest>.*)$`, 'i')
const quotedOrAngled = new RegExp(`^\\s{0,8}["'<](?<address>${ADDRESS})["'>](?<rest>.*)$`, 'i')

/** In this order; the first row that finds a recipient decides. */
export const MAIL_SYSTEMS: readonly MailSystem[] = [
  { system: 'Postfix', opens: /^this is the .{1,80} at host /i, entry: angled },
  {
    system: 'qmail',
    opens: /^(?:hi\. )?this is the .{0,40}(?:qmail|deliver|mta).{0,40} at /i,
    entry: angled,
  },
  {
    system: 'qmail, localized',
    opens:
      /(?:problem with the e-mail address\(es\)|not HBC e-mail users|your mail message to the following address)/i,
    entry: angled,
  },
  { system: 'MTA of Outblaze', opens: /^(?:hi\. )?the mta program at /i, entry: angled },
  { system: 'MessageLabs', opens: /^this is the mail delivery agent at /i, entry: angled },
  { system: 'Apache James', opens: /^failed recipient\(s\)\s*:/i },
  {
    system: 'Yahoo',
    opens:
      /(?:unable to deliver (?:your )?message to the following address|afraid i wasn't able to deliver the following message)/i,
  },
  {
    system: 'Sendmail',
    opens: /the following addresses had (?:permanent|transient|delivery|warning|fatal)/i,
  },
  { system: 'Sendmail 5', says: says(String.raw`(?:^|>\s)\d{3} @@>?\.\.\.\s`), common: true },
  {
    system: 'Exim',
    opens:
      /(?:the following address(?:\(?es\)?)? failed|address(?:es)? to which the message has not yet been delivered (?:is|are)|not yet been delivered to the following address(?:es)?):/i,
  },
  {
    system: 'Exim, text of a filter',
    says: says(
      '(?:local mailbox|mailbox|user|account) @@>? is (?:unavailable|unknown|disabled|full)',
    ),
  },
  { system: 'MXLogic', opens: /this is a permanent error\.\s+the following address failed/i },
  {
    system: 'Zoho',
    opens:
      /could not be delivered to one or more of its recipients\. this is a permanent error\.?$/i,
  },
  {
    system: 'Exchange 5.5',
    opens: /did not reach the following recipient\(?s?\)?\s*:/i,
    entry: x400,
  },
  {
    system: 'Exchange 2000',
    opens: /the following recipient\(?s?\)? (?:could not|cannot) be reached/i,
  },
  { system: 'Exchange 2007', opens: /^\s*diagnostic information for administrators:/i },
  { system: 'Exchange 2007', opens: /delivery has failed to these recipients/i },
  {
    system: 'Microsoft 365',
    says: says("(?:your )?message to @@>? (?:couldn't|could not|can't) be delivered"),
  },
  {
    system: 'Windows SMTP service',
    opens:
      /delivery to the following recipients? (?:failed|has been delayed|was aborted|has failed)|delevery to the following recipients/i,
  },
  {
    system: 'Windows SMTP service',
    opens: /de(?:li|le)very to the following recipients? was aborted/i,
  },
  { system: 'Domino', opens: /^\s*was not delivered to:?\s*$/i },
  { system: 'GroupWise', opens: /the message that you sent was undeliverable to the following/i },
  { system: 'GroupWise', opens: /the following addresses had delivery problems/i },
  {
    system: 'IMail',
    says: says(
      String.raw`^(?:(?:unknown (?:user|host)|delivery failed \d+ attempts|invalid final delivery userid|user mailbox exceeds allowed size|mailbox (?:is )?full)\s*:|undeliverable\s+to)\s*@@`,
    ),
  },
  { system: 'MDaemon', opens: /the following address(?:\(?es\)?)? did not receive a copy/i },
  { system: 'MDaemon', says: says(String.raw`@@\s{1,3}-\s{1,3}no such user here`) },
  { system: 'MailEnable', opens: /^mailenable: message could not be delivered/i },
  {
    system: 'hMailServer',
    opens: /your message did not reach some or all of the intended recipients/i,
  },
  { system: 'MailMarshal', opens: /the following recipients were affected/i },
  { system: 'Mimecast', opens: /addressed to email address\s*:/i },
  { system: 'Symantec', opens: /could not be delivered to the following recipients/i },
  {
    system: 'EarthLink',
    says: says('(?:unable to deliver your message to|quota violation for) @@'),
  },
  { system: 'InterScan', says: says('unable to deliver (?:the )?message to @@') },
  { system: 'InterScan', says: says(String.raw`sent (?:<<<|>>>) rcpt to:\s*@@`) },
  { system: 'SMTP Beamer, FTGate', opens: /could not deliver message to the following recipient/i },
  { system: 'SurfControl', says: says(String.raw`addressed to:\s{0,8}@@`) },
  { system: 'LSMTP', says: says(String.raw`error-for:\s{0,8}@@`) },
  { system: 'Smail', opens: /failed addresses follow/i },
  { system: 'E500', opens: /^-{2,}\s*failed recipients\s*-{2,}/i },
  { system: 'ph query', opens: /message not delivered to the following/i },
  { system: 'LLNL', says: says('your message was addressed, @@, did not ') },
  {
    system: 'PMDF, iPlanet',
    opens:
      /your message (?:cannot be|was not|could not be) delivered to(?: the following recipients?)?\s*:?\s*$/i,
  },
  { system: 'Netscape', opens: /following recipients did not receive (?:your|this) message/i },
  { system: 'NTMail', opens: /^your message was not delivered to\s*:?\s*$/i },
  {
    system: 'VOPmail, MAILsweeper',
    opens: /is still awaiting delivery to the following recipient/i,
  },
  { system: 'BigFish', opens: /^your message to\s*:\s*$/i },
  { system: 'Hotpop', says: says(String.raw`undeliverable address\s*:\s*@@`) },
  { system: 'USA.NET', says: says(String.raw`intended recipients?\s*:\s*@@`) },
  { system: 'Demon', says: says("the following message, addressed to @@'?, failed") },
  { system: 'Prodigy', says: says(String.raw`user's mailbox is full\s*:\s*@@`) },
  { system: 'a mailbox that is full', opens: /^delivery of e-?mail to this address/i },
  {
    system: 'CDO scripts',
    opens: /could not be delivered to the following (?:user|recipient|address)/i,
  },
  { system: 'SpamLion', opens: /^did not reach the following recipient/i },
  { system: 'Dovecot', says: says('your message to @@>? was automatically rejected') },
  {
    system: 'CommuniGate',
    says: says("(?:failed to deliver to|message delivery to|not delivered to) @@'?>?"),
    common: true,
  },
  { system: 'Courier', opens: /your message to the following recipients (?:cannot|has not)/i },
  { system: 'OpenSMTPD', opens: /the following list of recipients/i },
  {
    system: 'DragonFly',
    says: says('there was (?:an error|a problem) delivering your mail to @@'),
  },
  {
    system: 'KDDI',
    opens: /each of the following recipients was rejected by a remote mail server/i,
  },
  { system: 'KDDI', says: says(String.raw`could not be delivered to\s*:?\s*@@`), common: true },
  { system: 'EZweb', opens: /the user\(s\) account is (?:disabled|temporarily limited|unknown)/i },
  { system: 'PowerMTA', opens: /list of the affected recipients/i, entry: quotedOrAngled },
  { system: 'Haraka', says: says(String.raw`intended recipients?:\s*@@`) },
  {
    system: 'Amazon SES',
    opens: /an error occurred while trying to deliver the mail to the following recipients/i,
  },
  {
    system: 'Gmail',
    opens: /delivery to the following recipients? (?:failed permanently|has been delayed)/i,
  },
  {
    system: 'Gmail',
    says: says(
      "(?:your|the) (?:message|email|response) (?:wasn't|was not|couldn't be) delivered to @@",
    ),
    common: true,
  },
  { system: 'Google Groups', says: says(String.raw`the group you tried to contact \(@@\)`) },
  {
    system: 'Mercury',
    opens: /the following address\(?e?s?\)? (?:failed|could not be delivered)/i,
  },
  { system: 'McAfee', opens: /^-{2,}\s*the following addresses had delivery problems/i },
  {
    system: 'AOL',
    opens: /because\s+they are not accepting mail from/i,
    entry: /^\s+(?<address>[\w.+-]{1,64})(?<rest>)\s*$/,
    local: true,
  },
  { system: 'Société Générale', opens: /^votre message n'a pas pu etre delivre a\s*$/i },
  { system: 'QQ', says: says(String.raw`(?:收件人邮件地址|邮件地址|收件人)\s*[（(]\s*@@`) },
  { system: 'NetEase', says: says(String.raw`(?:无法发送到|无法投递到|无法送达)\s*[:：]?\s*@@`) },
  {
    system: 'a local user renamed',
    says: says(String.raw`\((?:originally|was) addressed to\s{1,3}@@`),
    common: true,
  },
  { system: 'any, a list', opens: FAILURE, common: true },
  {
    system: 'any, angles',
    opens: /^/,
    entry: new RegExp(`^\\s{0,4}<(?<address>${ADDRESS})>\\s?:(?<rest>.*)$`, 'i'),
    common: true,
  },
]
