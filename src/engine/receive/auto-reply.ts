// Mail that nobody wrote by hand. RFC 3834 and the habits of the field.

/**
 * Why a mail counts as automatic, or null for a mail that somebody wrote.
 * @param header the unfolded value of a header in lower-case name; undefined where it is absent
 * @param mailFrom the envelope sender; empty for bounces (RFC 5321 §4.5.5)
 */
export function autoReplyReason(
  header: (name: string) => string | undefined,
  mailFrom: string,
): string | null {
  const submitted = header('auto-submitted')?.trim().toLowerCase()
  if (submitted !== undefined && !submitted.startsWith('no')) return 'auto_submitted'
  if (mailFrom === '') return 'empty_envelope_sender'
  if (/^mailer-daemon@/i.test(mailFrom)) return 'mailer_daemon'
  if (header('list-id') !== undefined) return 'list'
  const precedence = header('precedence')?.trim().toLowerCase()
  if (precedence !== undefined && /^(bulk|junk|list|auto_reply)$/.test(precedence)) {
    return `precedence_${precedence}`
  }
  return null
}
