// What a report says of one recipient.

export interface Failure {
  /** The address that we sent to, as the report writes it. */
  email: string
  /** Nothing more will be tried. False while the mail still waits in a queue. */
  permanent: boolean
  /** SMTP reply code, RFC 5321 §4.2; null where none was told. */
  code: number | null
  /** Enhanced status, RFC 3463; null where none was told. */
  status: string | null
  /** In the words of the mail system; at most 500 characters. */
  reason: string
}

/** Each address once; what is known earlier stays, what it lacks is taken from later mentions. */
export function merged(failures: readonly Failure[]): Failure[] {
  const byAddress = new Map<string, Failure>()
  for (const failure of failures) {
    const key = failure.email.toLowerCase()
    const before = byAddress.get(key)
    byAddress.set(key, before === undefined ? failure : completed(before, failure))
  }
  return [...byAddress.values()]
}

const completed = (first: Failure, later: Failure): Failure => ({
  ...first,
  code: first.code ?? later.code,
  status: first.status ?? later.status,
  reason: first.reason || later.reason,
})
