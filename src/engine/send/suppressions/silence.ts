// Putting addresses on the suppression list, in the statement that writes their refusal down.

/** Whether the address is an inbox of this server: what it answers is known here, and it may be switched on again. */
export const isOurInbox = (email: string) => `EXISTS (
  SELECT 1 FROM directory_address d WHERE d.retired_at IS NULL
    AND d.address = regexp_replace(lower(${email}), '^([^@+]+)\\+[^@]*@', '\\1@'))`

/**
 * The CTE `silenced`. It follows `changed (email)`, the recipients that a refusal has just ended, and
 * `failed (email, detail, suppression_id)`, what was said of each; suppression_id is null where it may be tried again.
 * Parameters of the statement: `org`, `message` and `at`.
 */
export const silencing = ({ org, message, at }: Record<'org' | 'message' | 'at', string>) => `
  silenced AS (
    INSERT INTO suppressions (org_id, id, email, kind, inbox_id, reason, message_id, created_at)
    SELECT ${org}, f.suppression_id, lower(f.email), 'bounce', NULL, coalesce(f.detail, ''), ${message}, ${at}
    FROM failed f JOIN changed USING (email)
    WHERE f.suppression_id IS NOT NULL AND NOT ${isOurInbox('f.email')}
    ON CONFLICT DO NOTHING
  )`
