// Relays that many use, and what their own documentation says a domain's SPF record has to name.

const TERMS: readonly (readonly [RegExp, string])[] = [
  [/(^|\.)amazonaws\.com$/, 'include:amazonses.com'],
  [/(^|\.)sendgrid\.net$/, 'include:sendgrid.net'],
  [/(^|\.)eu\.mailgun\.org$/, 'include:eu.mailgun.org'],
  [/(^|\.)mailgun\.org$/, 'include:mailgun.org'],
  [/(^|\.)postmarkapp\.com$/, 'include:spf.mtasv.net'],
  [/(^|\.)(smtp-relay\.)?(gmail|google)\.com$/, 'include:_spf.google.com'],
  [/(^|\.)(office365|outlook)\.com$/, 'include:spf.protection.outlook.com'],
  [/(^|\.)mailjet\.com$/, 'include:spf.mailjet.com'],
  [/(^|\.)(brevo|sendinblue)\.com$/, 'include:spf.brevo.com'],
  [/(^|\.)mandrillapp\.com$/, 'include:spf.mandrillapp.com'],
  [/(^|\.)sparkpostmail\.com$/, 'include:sparkpostmail.com'],
  [/(^|\.)(fastmail|messagingengine)\.com$/, 'include:spf.messagingengine.com'],
  [/(^|\.)zoho\.(com|eu|in)$/, 'include:zohomail.com'],
]

/** What an SPF record has to hold where mail leaves through this relay; of an unknown one, its own addresses. */
export function spfTermOf(relayHost: string): string {
  const host = relayHost.toLowerCase().replace(/^\[|\]$/g, '')
  const known = TERMS.find(([pattern]) => pattern.test(host))?.[1]
  if (known !== undefined) return known
  if (/^[\d.]+$/.test(host)) return `ip4:${host}`
  return host.includes(':') ? `ip6:${host}` : `a:${host}`
}
