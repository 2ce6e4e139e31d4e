// Counting what becomes of an inbox's mail, and stopping its sending where too much of it is not wanted; in the statement that knows it.

/** Below this many nothing is concluded. */
export const MIN_SENT = 100
/** Of a thousand. Above these, servers begin to refuse the domain's other mail too. */
export const MOST_BOUNCED_PERMILLE = 50
export const MOST_COMPLAINED_PERMILLE = 1

const tooMany = (what: 'bounced' | 'complained', permille: number) =>
  `c.${what}::bigint * 1000 > c.sent::bigint * ${permille}`
const BOUNCED_TOO_MUCH = tooMany('bounced', MOST_BOUNCED_PERMILLE)
const COMPLAINED_TOO_MUCH = tooMany('complained', MOST_COMPLAINED_PERMILLE)

/**
 * The CTEs `counted`, `stopped` and `stop_told`. They follow `outcomes (org_id, inbox_id, sent, bounced, complained)`,
 * what is to be added, at most one row an inbox. Parameters of the statement: `at`, and `eventId`, an id to spare
 * for `inbox.sending_stopped`.
 */
export const counting = ({ at, eventId }: Record<'at' | 'eventId', string>) => `
  counted AS (
    INSERT INTO inbox_health AS h (org_id, inbox_id, sent, bounced, complained, since)
    SELECT o.org_id, o.inbox_id, o.sent, o.bounced, o.complained, ${at} FROM outcomes o
    WHERE o.sent + o.bounced + o.complained > 0
    ON CONFLICT (org_id, inbox_id) DO UPDATE SET sent = h.sent + excluded.sent,
      bounced = h.bounced + excluded.bounced, complained = h.complained + excluded.complained
    RETURNING h.org_id, h.inbox_id, h.sent, h.bounced, h.complained
  ), stopped AS (
    UPDATE inboxes i SET sending_stopped_at = ${at}, sending_stopped_reason =
      CASE WHEN ${BOUNCED_TOO_MUCH}
        THEN format('%s of %s mails bounced for good, more than ${MOST_BOUNCED_PERMILLE / 10} %%', c.bounced, c.sent)
        ELSE format('%s of %s mails were reported as spam, more than ${MOST_COMPLAINED_PERMILLE / 10} %%', c.complained, c.sent)
      END
    FROM counted c
    WHERE i.org_id = c.org_id AND i.id = c.inbox_id AND i.sending_stopped_at IS NULL
      AND c.sent >= ${MIN_SENT} AND (${BOUNCED_TOO_MUCH} OR ${COMPLAINED_TOO_MUCH})
    RETURNING i.org_id, i.id, i.address, i.sending_stopped_reason AS reason, c.sent, c.bounced, c.complained
  ), stop_told AS (
    INSERT INTO events (org_id, id, event, inbox_id, data, created_at)
    SELECT s.org_id, ${eventId}, 'inbox.sending_stopped', s.id, jsonb_build_object(
      'address', s.address, 'reason', s.reason, 'sent', s.sent, 'bounced', s.bounced, 'complained', s.complained), ${at}
    FROM stopped s
  )`
