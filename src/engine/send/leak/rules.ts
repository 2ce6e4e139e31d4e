// What must not leave by mail without a person: each secret by the form that its maker gives it. Data.

export interface Rule {
  /** What it is, for people. */
  name: string
  /** Found anywhere in a text whose invisible characters are gone. Without flags that remember a place. */
  form: RegExp
}

/** Forms as the makers document them, or as their keys look; each has a mark that ordinary text does not have. */
export const RULES: readonly Rule[] = [
  { name: 'a Postroom API key', form: /ait_[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/i },
  { name: 'a webhook secret', form: /whsec_[A-Za-z0-9+/]{24,}/ },
  // RFC 7468 §10–13, RFC 9580 §6.2.
  { name: 'a private key', form: /-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----/ },
  { name: 'a PuTTY private key', form: /PuTTY-User-Key-File-[23]:/ },
  { name: 'an age private key', form: /AGE-SECRET-KEY-1[02-9AC-HJ-NP-Z]{20,}/ },
  {
    name: 'a JSON Web Key with its private part',
    form: /"kty"\s*:\s*"[A-Za-z]+"(?:(?!"kty")[^{}])*"d"\s*:\s*"[\w-]{20,}"/,
  },
  {
    name: 'an AWS access key',
    form: /(?<![A-Za-z0-9])(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}(?![A-Za-z0-9])/,
  },
  {
    name: 'an AWS secret key',
    form: /aws.{0,20}(?:secret|private).{0,20}[:=]\s*["']?[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+])/is,
  },
  { name: 'a GitHub token', form: /(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{22,})/ },
  { name: 'a GitLab token', form: /gl(?:pat|dt|rt|cbt|ptt|ft|soat|agent|oas)-[\w-]{20,}/ },
  {
    name: 'a Slack token',
    form: /xox[abeoprs](?:\.xox[bp])?-[A-Za-z0-9-]{10,}|xapp-\d-[A-Z0-9]+-\d+-[a-z0-9]+/,
  },
  {
    name: 'a Slack webhook',
    form: /hooks\.slack\.com\/(?:services|workflows)\/[A-Za-z0-9/+]{20,}/,
  },
  { name: 'a Stripe key', form: /(?<![A-Za-z0-9])[rs]k_(?:live|test)_[A-Za-z0-9]{16,}/ },
  { name: 'an Anthropic key', form: /sk-ant-[a-z0-9]+-[\w-]{20,}/ },
  {
    name: 'an OpenAI key',
    form: /(?<![A-Za-z0-9])sk-(?:(?:proj|svcacct|admin|None)-[\w-]{20,}|[A-Za-z0-9]{20,}(?![A-Za-z0-9-]))/,
  },
  { name: 'an OpenRouter key', form: /sk-or-v1-[0-9a-f]{32,}/ },
  { name: 'a Google API key', form: /AIza[\w-]{35}/ },
  { name: 'a Google OAuth secret', form: /GOCSPX-[\w-]{28}|ya29\.[\w-]{30,}/ },
  { name: 'a SendGrid key', form: /SG\.[\w-]{22}\.[\w-]{43}/ },
  { name: 'a Resend key', form: /(?<![A-Za-z0-9])re_[A-Za-z0-9]{8}_[A-Za-z0-9]{20,}/ },
  { name: 'a Mailgun key', form: /(?<![A-Za-z0-9-])key-[0-9a-f]{32}(?![0-9a-f])/ },
  { name: 'a Mailchimp key', form: /(?<![0-9a-f])[0-9a-f]{32}-us\d{1,2}(?!\d)/ },
  { name: 'a Twilio key', form: /(?<![A-Za-z0-9])SK[0-9a-f]{32}(?![0-9a-f])/ },
  { name: 'an npm token', form: /npm_[A-Za-z0-9]{36}/ },
  { name: 'a PyPI token', form: /pypi-[A-Za-z0-9_-]{50,}/ },
  { name: 'a Hugging Face token', form: /(?<![A-Za-z0-9])hf_[A-Za-z0-9]{30,}/ },
  { name: 'a DigitalOcean token', form: /do[opr]_v1_[0-9a-f]{64}/ },
  { name: 'a Shopify token', form: /shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}/ },
  { name: 'a Telegram bot token', form: /(?<!\d)\d{8,10}:AA[\w-]{33}(?![\w-])/ },
  { name: 'a Discord webhook', form: /discord(?:app)?\.com\/api\/webhooks\/\d+\/[\w-]{60,}/ },
  { name: 'an Azure storage key', form: /AccountKey=[A-Za-z0-9+/]{86}==/ },
  { name: 'a Databricks token', form: /(?<![A-Za-z0-9])dapi[0-9a-f]{32}/ },
  { name: 'a HashiCorp Vault token', form: /hv[sbr]\.[\w-]{24,}/ },
  { name: 'a Linear key', form: /lin_api_[A-Za-z0-9]{32,}/ },
  { name: 'a Notion token', form: /ntn_[A-Za-z0-9]{40,}/ },
  { name: 'a Cloudflare origin key', form: /v1\.0-[0-9a-f]{24}-[0-9a-f]{100,}/ },
  // RFC 3986 §3.2.1: user and password before the host.
  {
    name: 'an address with a password in it',
    form: /[a-z][a-z0-9+.-]{1,20}:\/\/[^\s:@/?#]{1,100}:[^\s@/?#]{3,200}@[\w.-]+/i,
  },
]
