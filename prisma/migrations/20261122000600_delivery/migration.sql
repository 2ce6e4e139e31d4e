-- Delivering: what an attempt begins with, and what it has brought. Many attempts go into one call, so that a worker
-- under load commits once for a dozen mails. Each mail is one walk down its keys, whatever the planner knows of the
-- tables: as sets of a dozen the same was read from end to end. Locks are taken in the order of ids.

-- What attempts ({org_id, message_id} each) need: the mail and all its recipients. Mail of a deleted inbox is not there
-- any more; `stopped`: its inbox sends nothing until a person clears it; `sender_domain`: the row of the organization's
-- domain that it is written from, null where there is none.
CREATE FUNCTION begin_deliveries(attempts jsonb) RETURNS SETOF jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
  n record;
BEGIN
  FOR n IN
    SELECT DISTINCT a.org_id, a.message_id
    FROM jsonb_to_recordset(attempts) AS a (org_id text, message_id text)
  LOOP
    RETURN QUERY
    SELECT jsonb_build_object(
      'message', jsonb_build_object(
        'org_id', m.org_id, 'id', m.id, 'inbox_id', m.inbox_id, 'thread_id', m.thread_id, 'delivery', m.delivery,
        'answered_id', CASE m.match_method WHEN 'explicit' THEN m.match_evidence END,
        'envelope', m.envelope, 'raw_sha256', m.raw_sha256),
      'stopped', i.sending_stopped_at IS NOT NULL,
      'sender_domain', (
        SELECT jsonb_build_object('id', d.id, 'status', d.status, 'is_mail_domain', d.is_mail_domain)
        FROM domains d WHERE d.org_id = m.org_id AND d.domain = i.domain),
      'recipients', (
        SELECT jsonb_agg(
          jsonb_build_object('email', r.email, 'status', r.status, 'code', r.code, 'detail', r.detail)
          ORDER BY r.position)
        FROM recipients r WHERE r.org_id = n.org_id AND r.message_id = n.message_id))
    FROM messages m JOIN inboxes i ON i.org_id = m.org_id AND i.id = m.inbox_id
    WHERE m.org_id = n.org_id AND m.id = n.message_id AND i.deleted_at IS NULL;
  END LOOP;
END
$$;

-- Says of a mail, and of its recipients at one domain, that a server has them and takes its time.
CREATE FUNCTION mark_sending(org text, message text, domain text, at timestamptz) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM messages m WHERE m.org_id = org AND m.id = message FOR UPDATE;
  UPDATE recipients r SET status = 'sending', updated_at = at
  WHERE r.org_id = org AND r.message_id = message
    AND r.status IN ('queued', 'deferred') AND lower(split_part(r.email, '@', -1)) = domain;
  IF FOUND THEN
    UPDATE messages m SET status = 'sending'
    WHERE m.org_id = org AND m.id = message AND m.status IN ('queued', 'deferred');
  END IF;
END
$$;

-- Writes down what attempts have brought: recipients, message, events and the job, all or nothing a mail. `known` is
-- every recipient's status as the attempt knew it. A mail whose recipients have changed meanwhile (another domain of
-- it, a bounce that came in) is left alone: the answer names those that were written.
CREATE FUNCTION record_deliveries(entries jsonb) RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
  n record;
  mail record;
BEGIN
  FOR n IN
    SELECT * FROM jsonb_to_recordset(entries) AS e (
      org_id text, message_id text, at timestamptz, known jsonb, ended jsonb, status text, sent_at timestamptz,
      remote_ids jsonb, events jsonb, job jsonb)
    ORDER BY e.org_id, e.message_id
  LOOP
    SELECT m.inbox_id, m.thread_id INTO mail FROM messages m
    WHERE m.org_id = n.org_id AND m.id = n.message_id FOR UPDATE;
    CONTINUE WHEN NOT FOUND;
    -- A statement of its own: it sees what was committed while the lock was waited for. `queued` and `sending` mean
    -- the same here, since neither is an end.
    CONTINUE WHEN n.known IS DISTINCT FROM (
      SELECT jsonb_object_agg(r.email, CASE r.status WHEN 'queued' THEN 'sending' ELSE r.status END)
      FROM recipients r WHERE r.org_id = n.org_id AND r.message_id = n.message_id);

    UPDATE recipients r SET status = e.status, code = e.code, detail = e.detail, updated_at = n.at
    FROM jsonb_to_recordset(n.ended) AS e (email text, status text, code integer, detail text)
    WHERE r.org_id = n.org_id AND r.message_id = n.message_id AND r.email = e.email;
    UPDATE messages m SET status = n.status, sent_at = coalesce(m.sent_at, n.sent_at)
    WHERE m.org_id = n.org_id AND m.id = n.message_id;
    IF jsonb_array_length(n.remote_ids) > 0 THEN
      INSERT INTO message_ids (org_id, inbox_id, rfc_id, thread_id, message_id)
      SELECT n.org_id, mail.inbox_id, rfc_id, mail.thread_id, n.message_id
      FROM jsonb_array_elements_text(n.remote_ids) AS rfc_id
      ON CONFLICT (org_id, inbox_id, rfc_id) DO NOTHING;
    END IF;
    INSERT INTO events (org_id, id, event, inbox_id, thread_id, message_id, data, created_at)
    SELECT e.org_id, e.id, e.event, mail.inbox_id, mail.thread_id, n.message_id, e.data, e.created_at
    FROM jsonb_populate_recordset(NULL::events, n.events) AS e
    ON CONFLICT (org_id, id) DO NOTHING;

    -- The job follows in the same commit. `attempts` tells this run of it from another one that took it over.
    IF n.job ->> 'run_at' IS NULL THEN
      DELETE FROM jobs j WHERE j.id = n.job ->> 'id' AND j.attempts = (n.job ->> 'attempts')::integer;
    ELSE
      UPDATE jobs j SET run_at = (n.job ->> 'run_at')::timestamptz, payload = n.job -> 'payload',
        lease = NULL, leased_until = NULL, last_error = NULL
      WHERE j.id = n.job ->> 'id' AND j.attempts = (n.job ->> 'attempts')::integer;
    END IF;
    RETURN NEXT n.message_id;
  END LOOP;
END
$$;
