-- Storing mail is one statement, however many mails go in together: select store_messages(batch).
-- The batch is { merges, messages, threads, news, message_ids, seen, attachments, recipients, events, jobs }, each a list of rows;
-- threads are those that begin here, news what the others learn; a mail on its way out brings conditions (store_conditions).
-- It is all or nothing. SQLSTATE PR001 says that what the caller looked up has changed meanwhile: look up and decide again.

CREATE FUNCTION merge_participants(known jsonb, added jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(jsonb_agg(person ORDER BY place), '[]'::jsonb)
  FROM (
    SELECT DISTINCT ON (lower(person ->> 'email')) person, place
    FROM jsonb_array_elements(known || added) WITH ORDINALITY AS people (person, place)
    ORDER BY lower(person ->> 'email'), place
  ) AS firsts
$$;

CREATE FUNCTION store_messages(batch jsonb) RETURNS void
LANGUAGE plpgsql
-- Plans are made while the tables are all but empty, and kept: then reading them whole looks cheap for ever.
SET enable_seqscan TO off SET enable_hashjoin TO off SET enable_mergejoin TO off
AS $$
DECLARE
  expected bigint;
  found_rows bigint;
BEGIN
  -- The inboxes are still there and stay until we commit.
  SELECT count(DISTINCT (m.org_id, m.inbox_id)) INTO expected
  FROM jsonb_to_recordset(batch -> 'messages') AS m (org_id text, inbox_id text);
  PERFORM 1 FROM inboxes i
  WHERE i.deleted_at IS NULL AND (i.org_id, i.id) IN (
    SELECT m.org_id, m.inbox_id
    FROM jsonb_to_recordset(batch -> 'messages') AS m (org_id text, inbox_id text))
  FOR SHARE;
  GET DIAGNOSTICS found_rows = ROW_COUNT;
  IF found_rows <> expected THEN
    RAISE EXCEPTION 'an inbox of the batch is gone' USING ERRCODE = 'PR001';
  END IF;

  IF batch ? 'conditions' THEN
    PERFORM store_conditions(batch -> 'conditions');
  END IF;

  -- A hash may be taken again only after it has expired.
  INSERT INTO seen AS s
  SELECT n.org_id, n.inbox_id, n.hash, n.message_id, n.expires_at
  FROM jsonb_to_recordset(batch -> 'seen')
    AS n (org_id text, inbox_id text, hash text, message_id text, expires_at timestamptz, at timestamptz)
  ORDER BY n.org_id, n.inbox_id, n.hash
  ON CONFLICT (org_id, inbox_id, hash) DO UPDATE
    SET message_id = excluded.message_id, expires_at = excluded.expires_at
    WHERE s.expires_at <= excluded.expires_at - interval '7 days';
  GET DIAGNOSTICS found_rows = ROW_COUNT;
  IF found_rows <> jsonb_array_length(batch -> 'seen') THEN
    RAISE EXCEPTION 'a mail of the batch was stored meanwhile' USING ERRCODE = 'PR001';
  END IF;

  IF jsonb_array_length(batch -> 'merges') > 0 THEN
    PERFORM merge_threads(m.org_id, m.into_id, m.from_ids)
    FROM jsonb_to_recordset(batch -> 'merges') AS m (org_id text, into_id text, from_ids text[]);
  END IF;

  INSERT INTO threads
  SELECT * FROM jsonb_populate_recordset(NULL::threads, batch -> 'threads');
  INSERT INTO messages
  SELECT * FROM jsonb_populate_recordset(NULL::messages, batch -> 'messages');

  -- An id that was only mentioned becomes one that was seen; a seen one stays with its first message.
  INSERT INTO message_ids AS k
  SELECT DISTINCT ON (n.org_id, n.inbox_id, n.rfc_id) n.*
  FROM jsonb_populate_recordset(NULL::message_ids, batch -> 'message_ids') AS n
  ORDER BY n.org_id, n.inbox_id, n.rfc_id, n.message_id NULLS LAST
  ON CONFLICT (org_id, inbox_id, rfc_id) DO UPDATE SET message_id = excluded.message_id
    WHERE k.message_id IS NULL AND excluded.message_id IS NOT NULL;
  PERFORM 1
  FROM jsonb_populate_recordset(NULL::message_ids, batch -> 'message_ids') AS n
  WHERE n.thread_id <> (
    SELECT coalesce(
      (SELECT r.into_id FROM thread_redirects r WHERE r.org_id = k.org_id AND r.id = k.thread_id),
      k.thread_id)
    FROM message_ids k
    WHERE k.org_id = n.org_id AND k.inbox_id = n.inbox_id AND k.rfc_id = n.rfc_id);
  IF FOUND THEN
    RAISE EXCEPTION 'a thread of the batch has moved' USING ERRCODE = 'PR001';
  END IF;

  IF jsonb_array_length(batch -> 'news') > 0 THEN
    PERFORM touch_threads(batch -> 'news');
    -- After the threads are locked: nobody rearranges them any more.
    PERFORM check_places(batch -> 'messages');
  END IF;
  IF jsonb_array_length(batch -> 'attachments') > 0 THEN
    INSERT INTO attachments
    SELECT * FROM jsonb_populate_recordset(NULL::attachments, batch -> 'attachments');
  END IF;
  IF jsonb_array_length(batch -> 'recipients') > 0 THEN
    INSERT INTO recipients
    SELECT * FROM jsonb_populate_recordset(NULL::recipients, batch -> 'recipients');
  END IF;
  IF jsonb_array_length(batch -> 'jobs') > 0 THEN
    INSERT INTO jobs
    SELECT * FROM jsonb_populate_recordset(NULL::jobs, batch -> 'jobs');
  END IF;
  INSERT INTO events (org_id, id, event, inbox_id, thread_id, message_id, data, created_at)
  SELECT e.org_id, e.id, e.event, e.inbox_id, e.thread_id, e.message_id, e.data, e.created_at
  FROM jsonb_populate_recordset(NULL::events, batch -> 'events') AS e;
END
$$;

-- Brings each thread up to date with what joined it: one row of news a thread.
CREATE FUNCTION touch_threads(news jsonb) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  found_rows bigint;
BEGIN
  UPDATE threads t SET
    message_count = t.message_count + n.added,
    participants = merge_participants(t.participants, n.participants),
    latest_inbound_at = greatest(t.latest_inbound_at, n.inbound_at),
    has_outbound = t.has_outbound OR n.outbound,
    is_read = t.is_read AND NOT n.is_news,
    is_archived = t.is_archived AND NOT n.is_news,
    -- An older mail that comes late (an import) is the earliest one from now on.
    subject = CASE WHEN (n.earliest_at, n.earliest_id) < (t.created_at, t.first_message_id) THEN n.earliest_subject ELSE t.subject END,
    first_message_id = CASE WHEN (n.earliest_at, n.earliest_id) < (t.created_at, t.first_message_id) THEN n.earliest_id ELSE t.first_message_id END,
    created_at = least(t.created_at, n.earliest_at),
    preview = CASE WHEN (n.newest_at, n.newest_id) >= (t.last_message_at, t.last_message_id) THEN n.preview ELSE t.preview END,
    waiting_on = CASE WHEN (n.newest_at, n.newest_id) >= (t.last_message_at, t.last_message_id) THEN n.waiting_on ELSE t.waiting_on END,
    last_message_id = CASE WHEN (n.newest_at, n.newest_id) >= (t.last_message_at, t.last_message_id) THEN n.newest_id ELSE t.last_message_id END,
    last_message_at = greatest(t.last_message_at, n.newest_at)
  FROM jsonb_to_recordset(news) AS n (
    org_id text, thread_id text, added integer, participants jsonb, inbound_at timestamptz, outbound boolean,
    is_news boolean, earliest_at timestamptz, earliest_id text, earliest_subject text, newest_at timestamptz, newest_id text,
    preview text, waiting_on text)
  WHERE t.org_id = n.org_id AND t.id = n.thread_id;
  GET DIAGNOSTICS found_rows = ROW_COUNT;
  IF found_rows <> jsonb_array_length(news) THEN
    RAISE EXCEPTION 'a thread of the batch is gone' USING ERRCODE = 'PR001';
  END IF;
END
$$;
