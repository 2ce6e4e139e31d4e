-- Joining, dividing and putting back threads by hand, the audit of it, and the secret of reply tokens.

-- 32 random bytes in hex: three UUIDs hold 366 random bits. A default, so that no organization is ever without.
ALTER TABLE organizations ADD COLUMN reply_secret text NOT NULL DEFAULT encode(sha256(convert_to(
  gen_random_uuid()::text || gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8')), 'hex');

-- Threads that a person took apart: no mail joins them again. An id of the list may have gone into another thread since.
ALTER TABLE threads ADD COLUMN kept_apart_from text[] NOT NULL DEFAULT '{}';

-- The ids of a message: its own, and those that a relay gave it.
CREATE INDEX message_ids_of_message ON message_ids (org_id, message_id) WHERE message_id IS NOT NULL;

-- What was done by whom. A row is never changed; one that takes another back names it.
CREATE TABLE audit (
  org_id      text COLLATE "C" NOT NULL,
  id          text COLLATE "C" NOT NULL,
  at          timestamptz(3) NOT NULL,
  key_id      text COLLATE "C",
  actor       text NOT NULL,
  agent       boolean NOT NULL,
  action      text NOT NULL,
  inbox_id    text COLLATE "C",
  ids         text[] NOT NULL,
  detail      jsonb NOT NULL,
  undoes      text COLLATE "C",
  PRIMARY KEY (org_id, id)
);
CREATE INDEX audit_newest ON audit (org_id, at DESC, id DESC);
CREATE INDEX audit_of_ids ON audit USING gin (ids);
CREATE UNIQUE INDEX audit_undone_once ON audit (org_id, undoes) WHERE undoes IS NOT NULL;

-- Joins threads of one inbox: the messages of from_ids go over to into_id, and the old ids lead there from now on; what was
-- kept apart from one of them is kept apart from the joined one. What a thread shows is made in one place, touch_threads:
-- here the threads that go are the news, in rebuild_thread the messages are.
CREATE FUNCTION merge_threads(organization text, into_thread text, from_threads text[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  found_rows bigint;
  archived boolean;
  apart text[];
BEGIN
  -- In the order of their ids, so that two merges never wait for each other.
  PERFORM 1 FROM threads
  WHERE org_id = organization AND id = ANY(from_threads || into_thread) ORDER BY id FOR UPDATE;
  GET DIAGNOSTICS found_rows = ROW_COUNT;
  IF found_rows <> cardinality(from_threads) + 1 THEN
    RAISE EXCEPTION 'a thread to be joined is gone' USING ERRCODE = 'PR001';
  END IF;

  UPDATE messages SET thread_id = into_thread
  WHERE org_id = organization AND thread_id = ANY(from_threads);

  SELECT bool_and(is_archived) INTO archived
  FROM threads WHERE org_id = organization AND id = ANY(from_threads || into_thread);
  apart := ARRAY(
    SELECT DISTINCT other FROM threads, unnest(kept_apart_from) AS other
    WHERE org_id = organization AND id = ANY(from_threads || into_thread)
      AND other <> into_thread AND other <> ALL(from_threads) ORDER BY other);
  PERFORM touch_threads(jsonb_build_array(jsonb_build_object(
    'org_id', organization,
    'thread_id', into_thread,
    'added', sum(o.message_count),
    'participants', (
      SELECT coalesce(jsonb_agg(person ORDER BY p.created_at, p.id, place), '[]')
      FROM threads p, jsonb_array_elements(p.participants) WITH ORDINALITY AS people (person, place)
      WHERE p.org_id = organization AND p.id = ANY(from_threads)),
    'inbound_at', max(o.latest_inbound_at),
    'outbound', bool_or(o.has_outbound),
    'is_news', NOT bool_and(o.is_read),
    'earliest_at', min(o.created_at),
    'earliest_id', (array_agg(o.first_message_id ORDER BY o.created_at, o.first_message_id))[1],
    'earliest_subject', (array_agg(o.subject ORDER BY o.created_at, o.first_message_id))[1],
    'newest_at', max(o.last_message_at),
    'newest_id', (array_agg(o.last_message_id ORDER BY o.last_message_at DESC, o.last_message_id DESC))[1],
    'preview', (array_agg(o.preview ORDER BY o.last_message_at DESC, o.last_message_id DESC))[1],
    'waiting_on', (array_agg(o.waiting_on ORDER BY o.last_message_at DESC, o.last_message_id DESC))[1])))
  FROM threads o WHERE o.org_id = organization AND o.id = ANY(from_threads);
  UPDATE threads SET is_archived = archived, kept_apart_from = apart
  WHERE org_id = organization AND id = into_thread;

  DELETE FROM threads WHERE org_id = organization AND id = ANY(from_threads);
  UPDATE thread_redirects SET into_id = into_thread
  WHERE org_id = organization AND into_id = ANY(from_threads);
  INSERT INTO thread_redirects
  SELECT organization, gone, into_thread FROM unnest(from_threads) AS gone;
END
$$;

-- Where the threads are now that are kept apart from one: each in a thread of its own or gone into another.
CREATE FUNCTION kept_apart_now(organization text, others text[]) RETURNS text[]
LANGUAGE sql STABLE AS $$
  SELECT coalesce(array_agg(coalesce(r.into_id, other)), '{}')
  FROM unnest(others) AS other
  LEFT JOIN thread_redirects r ON r.org_id = organization AND r.id = other
$$;

-- Takes messages out of a thread into a new one, with the Message-IDs and the older thread ids that lead to them.
CREATE FUNCTION move_messages(organization text, from_thread text, into_thread text, moved text[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO threads
  SELECT (jsonb_populate_record(t, jsonb_build_object('id', into_thread))).*
  FROM threads t WHERE t.org_id = organization AND t.id = from_thread;
  UPDATE messages SET thread_id = into_thread WHERE org_id = organization AND id = ANY(moved);

  -- An older id leads to where the message is that it was made from.
  DELETE FROM thread_redirects WHERE org_id = organization AND id = into_thread;
  UPDATE thread_redirects SET into_id = into_thread
  WHERE org_id = organization AND into_id = from_thread AND 'msg_' || substr(id, 5) = ANY(moved);

  UPDATE message_ids k SET thread_id = m.thread_id
  FROM messages m
  WHERE m.org_id = organization AND m.thread_id IN (from_thread, into_thread)
    AND k.org_id = organization AND k.message_id = m.id AND k.thread_id <> m.thread_id;

  -- An id that was only mentioned belongs to who mentioned it first.
  WITH mention AS (
    SELECT DISTINCT ON (rfc_id) m.inbox_id, rfc_id, m.thread_id
    FROM messages m, unnest(m."references" || m.in_reply_to) AS rfc_id
    WHERE m.org_id = organization AND m.thread_id IN (from_thread, into_thread) AND rfc_id IS NOT NULL
    ORDER BY rfc_id, m.created_at, m.id
  )
  UPDATE message_ids k SET thread_id = n.thread_id
  FROM mention n
  WHERE k.org_id = organization AND k.inbox_id = n.inbox_id AND k.rfc_id = n.rfc_id
    AND k.message_id IS NULL AND k.thread_id <> n.thread_id
    AND coalesce((SELECT r.into_id FROM thread_redirects r WHERE r.org_id = organization AND r.id = k.thread_id),
      k.thread_id) IN (from_thread, into_thread);
END
$$;

-- Makes what a thread shows from its messages, as if they came now. What only the caller knows comes in: waiting_on, is_read,
-- is_archived, kept_apart_from, and the preview unless a change is made once more. The tag of a reply address is no other
-- person. Mail that waits, or never went, is counted and says nothing else.
CREATE FUNCTION rebuild_thread(organization text, summary jsonb) RETURNS void
LANGUAGE sql AS $$
  UPDATE threads t SET
    subject = m.subject,
    created_at = m.created_at,
    first_message_id = m.id,
    last_message_id = m.id,
    last_message_at = m.created_at,
    message_count = 0,
    participants = '[]',
    has_outbound = false,
    latest_inbound_at = NULL,
    preview = '',
    waiting_on = NULL,
    is_read = (summary ->> 'is_read')::boolean,
    is_archived = (summary ->> 'is_archived')::boolean,
    kept_apart_from = ARRAY(SELECT jsonb_array_elements_text(summary -> 'kept_apart_from'))
  FROM (
    SELECT id, subject, created_at FROM messages
    WHERE org_id = organization AND thread_id = summary ->> 'id' ORDER BY created_at, id LIMIT 1
  ) AS m
  WHERE t.org_id = organization AND t.id = summary ->> 'id';

  WITH message AS (
    SELECT * FROM messages WHERE org_id = organization AND thread_id = summary ->> 'id'
  ), gone AS (
    SELECT * FROM message
    WHERE status NOT IN ('scheduled', 'pending_review', 'rejected', 'expired', 'cancelled')
  ), newest AS (
    SELECT id, created_at, text_body FROM gone ORDER BY created_at DESC, id DESC LIMIT 1
  ), earliest AS (
    SELECT id, subject, created_at FROM gone ORDER BY created_at, id LIMIT 1
  ), person AS (
    SELECT m.created_at, m.id, place,
      jsonb_set(mailbox, '{email}', to_jsonb(regexp_replace(
        mailbox ->> 'email', '\+t-[0-9a-hjkmnp-tv-z]{36}@', '@', 'i'))) AS mailbox
    FROM gone m,
      jsonb_array_elements(jsonb_build_array(m."from") || m."to" || m.cc) WITH ORDINALITY AS p (mailbox, place)
    WHERE jsonb_typeof(mailbox) = 'object'
  )
  SELECT touch_threads(jsonb_build_array(jsonb_build_object(
    'org_id', organization,
    'thread_id', summary ->> 'id',
    'added', (SELECT count(*) FROM message),
    'participants', coalesce(
      (SELECT jsonb_agg(mailbox ORDER BY created_at, id, place) FROM person), '[]'),
    'inbound_at', (SELECT max(created_at) FROM gone WHERE direction = 'inbound'),
    'outbound', EXISTS (SELECT FROM gone WHERE direction = 'outbound'),
    'is_news', false,
    'earliest_at', (SELECT created_at FROM earliest),
    'earliest_id', (SELECT id FROM earliest),
    'earliest_subject', (SELECT subject FROM earliest),
    'newest_at', (SELECT created_at FROM newest),
    'newest_id', (SELECT id FROM newest),
    'preview', coalesce(summary ->> 'preview', (
      SELECT left(btrim(regexp_replace(left(text_body, 800), '\s+', ' ', 'g')), 200) FROM newest)),
    'waiting_on', summary ->> 'waiting_on')))
  WHERE EXISTS (SELECT FROM message)
$$;

-- A change of threads by hand, all or nothing, in the statement of its audit and its events. The change is
-- { org_id, held, merge | move, rebuild, audit, events }: `held` lists the messages of each thread that the change
-- was decided on. SQLSTATE PR001 says that they are others by now: look up and decide again.
CREATE FUNCTION rearrange_threads(change jsonb) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  organization text := change ->> 'org_id';
  held record;
BEGIN
  PERFORM 1 FROM threads
  WHERE org_id = organization AND id IN (SELECT h ->> 'id' FROM jsonb_array_elements(change -> 'held') AS h)
  ORDER BY id FOR UPDATE;
  FOR held IN SELECT * FROM jsonb_to_recordset(change -> 'held') AS h (id text, message_ids text[]) LOOP
    IF held.message_ids IS DISTINCT FROM ARRAY(
      SELECT m.id FROM messages m WHERE m.org_id = organization AND m.thread_id = held.id ORDER BY m.id) THEN
      RAISE EXCEPTION 'thread % has changed', held.id USING ERRCODE = 'PR001';
    END IF;
  END LOOP;

  PERFORM merge_threads(organization, m.into_id, ARRAY[m.from_id])
  FROM jsonb_to_record(change -> 'merge') AS m (into_id text, from_id text) WHERE m.into_id IS NOT NULL;
  PERFORM move_messages(organization, m.from_id, m.into_id, m.message_ids)
  FROM jsonb_to_record(change -> 'move') AS m (from_id text, into_id text, message_ids text[])
  WHERE m.into_id IS NOT NULL;
  PERFORM rebuild_thread(organization, s) FROM jsonb_array_elements(change -> 'rebuild') AS s;

  INSERT INTO audit SELECT * FROM jsonb_populate_record(NULL::audit, change -> 'audit');
  INSERT INTO events (org_id, id, event, inbox_id, thread_id, message_id, data, created_at)
  SELECT e.org_id, e.id, e.event, e.inbox_id, e.thread_id, e.message_id, e.data, e.created_at
  FROM jsonb_populate_recordset(NULL::events, change -> 'events') AS e;
END
$$;
