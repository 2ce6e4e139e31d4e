// Whether a refusal for good means that the address itself takes no mail, so that it is never written to again. Pure.

/**
 * RFC 3463 §3.2 and RFC 7505: no such mailbox or domain, moved, ambiguous, malformed, takes no mail at all; §3.3: disabled.
 * X.1.7 and X.1.8 are about the sender. A full mailbox or a refused text is no reason never to write again.
 */
const UNREACHABLE = /^5\.(1\.([0-6]|9|10)|2\.1)$/
const ENHANCED = /^([245]\.\d{1,3}\.\d{1,3})(?=\s|$)/
/** RFC 5321 §4.2.3: mailbox unavailable, user not local, mailbox name not allowed. */
const MAILBOX_CODES: readonly number[] = [550, 551, 553]
/** 550 is said to bad mail too: "command rejected for policy reasons". */
const POLICY =
  /spam|blocked|block ?list|black ?list|listed|polic(y|ies)|reputation|spf|dkim|dmarc|authenticat|rbl|relay|denied|not permitted|content|virus|too (many|large)|rate|quota|full|greylist|sender/i

/**
 * @param code of SMTP, null where only a report tells
 * @param said what the server said; an enhanced status code at its start decides. RFC 2034 §4
 */
export function isUnreachable(code: number | null, said: string): boolean {
  const [, status] = ENHANCED.exec(said.trim()) ?? []
  if (status !== undefined) return UNREACHABLE.test(status)
  return code !== null && MAILBOX_CODES.includes(code) && !POLICY.test(said)
}
