// A value as a message may show it: without password or key.

/** Longer values are cut: a message is read by people. */
const SHOWN_LENGTH = 120
const KEY_START = 'ait_'.length
const HIDDEN = '•••'

/** Also under a name that is no setting, since a slip in the name stops the start too and shows its value. */
const SECRET_NAME = /SECRET|PASS|TOKEN|CREDENTIAL/
/** 32 bytes in base64 or hex, as POSTROOM_SECRET_KEY is. */
const SECRET_BYTES = /^([\w+/-]{43}=?|[0-9a-f]{64})$/i

const SCHEME = /^[a-z][a-z0-9+.-]*:\/\//i
/** `user:word` where the host was forgotten: a port is digits, the rest may be a password. */
const NO_PORT = /^([^/?#[:]*:)(?!\d{1,5}([/?#]|$))[^/?#]+/
/** PostgreSQL takes a password as a parameter too, in a URL or in `host=… password=…`. */
const PARAMETER = /(pass\w*=)[^&\s]*/gi

export function masked(variable: string, value: string): string {
  if (value === '') return ''
  if (SECRET_NAME.test(variable) || SECRET_BYTES.test(value)) return HIDDEN
  if (variable.includes('API_KEY') || value.startsWith('ait_')) {
    return `${value.slice(0, KEY_START)}…`
  }
  const shown = withoutPassword(variable, value)
  return shown.length > SHOWN_LENGTH ? `${shown.slice(0, SHOWN_LENGTH)}…` : shown
}

/** What is wrong with a URL may be its password: everything before the last @ may belong to that. */
function withoutPassword(variable: string, value: string): string {
  const scheme = SCHEME.exec(value)?.[0] ?? ''
  const rest = value.slice(scheme.length)
  const at = rest.lastIndexOf('@')
  const isUrl = scheme !== '' || variable.includes('URL')
  if (at >= 0 && (isUrl || rest.slice(0, at).includes(':'))) {
    return `${scheme}${HIDDEN}${hideParameters(rest.slice(at))}`
  }
  return `${scheme}${hideParameters(isUrl ? rest.replace(NO_PORT, `$1${HIDDEN}`) : rest)}`
}

const hideParameters = (text: string) => text.replace(PARAMETER, `$1${HIDDEN}`)
