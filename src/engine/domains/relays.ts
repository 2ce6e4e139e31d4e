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

/** Hosts beside this one: their mail reaches the world from where we are. RFC 1918, RFC 4193, RFC 6761 §6.3. */
const NEAR =
  /^(localhost|127\.[\d.]+|::1|10\.[\d.]+|192\.168\.[\d.]+|172\.(1[6-9]|2\d|3[01])\.[\d.]+|f[cd][\da-f:]+|[^.:]+)$/

/**
 * What an SPF record has to hold where mail leaves through this relay (RFC 7208 §5): what its operator asks for,
 * or its own addresses. Undefined for one beside us, which has no public address of its own.
 */
export function spfTermOf(relayHost: string): string | undefined {
  const host = relayHost.toLowerCase().replace(/^\[|\]$/g, '')
  if (NEAR.test(host)) return undefined
  const known = TERMS.find(([pattern]) => pattern.test(host))?.[1]
  if (known !== undefined) return known
  if (/^[\d.]+$/.test(host)) return `ip4:${host}`
  return host.includes(':') ? `ip6:${host}` : `a:${host}`
}
