-- Delivering: what an attempt begins with, and what it has brought. Many attempts go into one statement, so that a
-- worker under load commits once for a dozen mails. Locks are taken in the order of ids.

-- Marks attempts as begun ({org_id, message_id, domain} each) and answers with what they need: the mail and all its
-- recipients, those of the domain already as `sending`. Mail of a deleted inbox is not there any more; that of an inbox
-- whose sending was stopped stays as it is.
CREATE FUNCTION begin_deliveries(attempts jsonb, at timestamptz) RETURNS SETOF jsonb
LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM messages m
  WHERE (m.org_id, m.id) IN (
    SELECT n.org_id, n.message_id FROM jsonb_to_recordset(attempts) AS n (org_id text, message_id text))
  ORDER BY m.org_id, m.id FOR UPDATE;

  UPDATE recipients r SET status = 'sending', updated_at = at
  FROM jsonb_to_recordset(attempts) AS n (org_id text, message_id text, domain text)
  JOIN messages m ON m.org_id = n.org_id AND m.id = n.message_id
  JOIN inboxes i ON i.org_id = m.org_id AND i.id = m.inbox_id AND i.sending_stopped_at IS NULL
  WHERE r.org_id = n.org_id AND r.message_id = n.message_id
    AND r.status IN ('queued', 'deferred') AND lower(split_part(r.email, '@', -1)) = n.domain;
  UPDATE messages m SET status = 'sending'
  FROM jsonb_to_recordset(attempts) AS n (org_id text, message_id text)
  WHERE m.org_id = n.org_id AND m.id = n.message_id AND m.status IN ('queued', 'deferred')
    AND EXISTS (
      SELECT 1 FROM recipients r
      WHERE r.org_id = m.org_id AND r.message_id = m.id AND r.status = 'sending');

  RETURN QUERY
  SELECT jsonb_build_object(
    'message', jsonb_build_object(
      'org_id', m.org_id, 'id', m.id, 'inbox_id', m.inbox_id, 'thread_id', m.thread_id,
      'delivery', m.delivery, 'envelope', m.envelope, 'raw_sha256', m.raw_sha256,
      'answered_id', CASE m.match_method WHEN 'explicit' THEN m.match_evidence END),
    'stopped', i.sending_stopped_at IS NOT NULL,
    'recipients', (
      SELECT jsonb_agg(
        jsonb_build_object('email', r.email, 'status', r.status, 'code', r.code, 'detail', r.detail)
        ORDER BY r.position)
      FROM recipients r WHERE r.org_id = m.org_id AND r.message_id = m.id))
  FROM messages m JOIN inboxes i ON i.org_id = m.org_id AND i.id = m.inbox_id
  WHERE i.deleted_at IS NULL AND (m.org_id, m.id) IN (
    SELECT n.org_id, n.message_id FROM jsonb_to_recordset(attempts) AS n (org_id text, message_id text));
END
$$;

-- Writes down what attempts have brought: recipients, message, events and the job, all or nothing a mail. `known` is
-- every recipient's status as the attempt knew it. A mail whose recipients have changed meanwhile (another domain of
-- it, a bounce that came in) is left alone: the answer names those that were written. At most one attempt a mail.
CREATE FUNCTION record_deliveries(entries jsonb) RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
  unmoved text[];
BEGIN
  PERFORM 1 FROM messages m
  WHERE (m.org_id, m.id) IN (
    SELECT n.org_id, n.message_id FROM jsonb_to_recordset(entries) AS n (org_id text, message_id text))
  ORDER BY m.org_id, m.id FOR UPDATE;

  -- A statement of its own: it sees what was committed while the lock was waited for. `queued` and `sending` mean the
  -- same here, since neither is an end.
  SELECT coalesce(array_agg(n.message_id), '{}') INTO unmoved
  FROM jsonb_to_recordset(entries) AS n (org_id text, message_id text, known jsonb)
  WHERE n.known = (
    SELECT jsonb_object_agg(r.email, CASE r.status WHEN 'queued' THEN 'sending' ELSE r.status END)
    FROM recipients r WHERE r.org_id = n.org_id AND r.message_id = n.message_id);

  UPDATE recipients r SET status = e.status, code = e.code, detail = e.detail, updated_at = n.at
  FROM jsonb_to_recordset(entries) AS n (org_id text, message_id text, at timestamptz, ended jsonb)
  CROSS JOIN LATERAL jsonb_to_recordset(n.ended) AS e (email text, status text, code integer, detail text)
  WHERE n.message_id = ANY (unmoved)
    AND r.org_id = n.org_id AND r.message_id = n.message_id AND r.email = e.email;
  UPDATE messages m SET status = n.status, sent_at = coalesce(m.sent_at, n.sent_at)
  FROM jsonb_to_recordset(entries) AS n (org_id text, message_id text, status text, sent_at timestamptz)
  WHERE n.message_id = ANY (unmoved) AND m.org_id = n.org_id AND m.id = n.message_id;

  INSERT INTO message_ids (org_id, inbox_id, rfc_id, thread_id, message_id)
  SELECT m.org_id, m.inbox_id, rfc_id, m.thread_id, m.id
  FROM jsonb_to_recordset(entries) AS n (org_id text, message_id text, remote_ids jsonb)
  JOIN messages m ON m.org_id = n.org_id AND m.id = n.message_id
  CROSS JOIN LATERAL jsonb_array_elements_text(n.remote_ids) AS rfc_id
  WHERE n.message_id = ANY (unmoved)
  ON CONFLICT (org_id, inbox_id, rfc_id) DO NOTHING;
  INSERT INTO events (org_id, id, event, inbox_id, thread_id, message_id, data, created_at)
  SELECT e.org_id, e.id, e.event, m.inbox_id, m.thread_id, m.id, e.data, e.created_at
  FROM jsonb_to_recordset(entries) AS n (org_id text, message_id text, events jsonb)
  JOIN messages m ON m.org_id = n.org_id AND m.id = n.message_id
  CROSS JOIN LATERAL jsonb_populate_recordset(NULL::events, n.events) AS e
  WHERE n.message_id = ANY (unmoved)
  ON CONFLICT (org_id, id) DO NOTHING;

  -- The job follows in the same commit. `attempts` tells this run of it from another one that took it over.
  DELETE FROM jobs j
  USING jsonb_to_recordset(entries) AS n (message_id text, job jsonb)
  WHERE n.message_id = ANY (unmoved) AND j.id = n.job ->> 'id'
    AND j.attempts = (n.job ->> 'attempts')::integer AND n.job ->> 'run_at' IS NULL;
  UPDATE jobs j SET run_at = (n.job ->> 'run_at')::timestamptz, payload = n.job -> 'payload',
    lease = NULL, leased_until = NULL, last_error = NULL
  FROM jsonb_to_recordset(entries) AS n (message_id text, job jsonb)
  WHERE n.message_id = ANY (unmoved) AND j.id = n.job ->> 'id'
    AND j.attempts = (n.job ->> 'attempts')::integer AND n.job ->> 'run_at' IS NOT NULL;

  RETURN QUERY SELECT unnest(unmoved);
END
$$;
