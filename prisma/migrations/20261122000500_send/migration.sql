-- What the sending side keeps beside the mail: what waits for a person or an hour, what makes a repeat safe, whose domain it leaves from.

ALTER TABLE messages
  -- The key that sent it; null for mail that came in, and for people who are signed in.
  ADD COLUMN key_id text COLLATE "C",
  -- When it goes, where it was written for later.
  ADD COLUMN send_at timestamptz(3),
  -- Chunks of the knowledge base that its text rests on.
  ADD COLUMN citations text[] NOT NULL DEFAULT '{}';
CREATE INDEX messages_by_agent ON messages (org_id, thread_id, created_at DESC) WHERE by_agent;
-- What a key has sent in the last minute, and who was written to before.
CREATE INDEX messages_by_key ON messages (org_id, key_id, created_at DESC) WHERE direction = 'outbound';
CREATE INDEX recipients_by_email ON recipients (org_id, lower(email));

ALTER TABLE inboxes
  ADD COLUMN sending_stopped_at timestamptz(3),
  ADD COLUMN sending_stopped_reason text;

ALTER TABLE organizations
  -- Words that must not leave: a mail that holds one waits for a person.
  ADD COLUMN canary_words text[] NOT NULL DEFAULT '{}',
  -- Caps for keys that are no agent's, in the notation of AGENT_CAPS; null: none.
  ADD COLUMN send_caps text;

-- What was answered under an Idempotency-Key. It goes in with the mail, so that of twenty at once one wins.
CREATE TABLE idempotency (
  org_id      text COLLATE "C" NOT NULL,
  route       text COLLATE "C" NOT NULL,
  key         text COLLATE "C" NOT NULL,
  inbox_id    text COLLATE "C" NOT NULL,
  body_sha256 text NOT NULL,
  -- As it was given, to the byte.
  answer      text NOT NULL,
  expires_at  timestamptz(3) NOT NULL,
  PRIMARY KEY (org_id, route, key)
);
CREATE INDEX idempotency_expired ON idempotency (expires_at);

-- How much was sent in a span of time: a row a counter and span.
CREATE TABLE send_counters (
  org_id     text COLLATE "C" NOT NULL,
  counter    text COLLATE "C" NOT NULL,
  starts_at  timestamptz(3) NOT NULL,
  count      integer NOT NULL,
  PRIMARY KEY (org_id, counter, starts_at)
);

-- Mail that waits for a person: bound to the exact bytes and envelope by sha256.
CREATE TABLE reviews (
  org_id       text COLLATE "C" NOT NULL,
  id           text COLLATE "C" NOT NULL,
  inbox_id     text COLLATE "C" NOT NULL,
  message_id   text COLLATE "C" NOT NULL,
  sha256       text NOT NULL,
  status       text NOT NULL,
  reasons      jsonb NOT NULL,
  expires_at   timestamptz(3) NOT NULL,
  resolved_at  timestamptz(3),
  resolved_by  text,
  note         text,
  created_at   timestamptz(3) NOT NULL,
  PRIMARY KEY (org_id, id)
);
CREATE UNIQUE INDEX reviews_of_message ON reviews (org_id, message_id);
CREATE INDEX reviews_newest ON reviews (org_id, status, created_at DESC, id DESC);

-- What somebody means to send: the request as it was written, checked again when it is sent.
CREATE TABLE drafts (
  org_id           text COLLATE "C" NOT NULL,
  id               text COLLATE "C" NOT NULL,
  inbox_id         text COLLATE "C" NOT NULL,
  thread_id        text COLLATE "C",
  kind             text NOT NULL,
  written          jsonb NOT NULL,
  -- The recipients and the subject that it would have, with what a reply fills in.
  shown            jsonb NOT NULL,
  by_agent         boolean NOT NULL,
  sent_message_id  text COLLATE "C",
  created_at       timestamptz(3) NOT NULL,
  updated_at       timestamptz(3) NOT NULL,
  PRIMARY KEY (org_id, id)
);
CREATE INDEX drafts_newest ON drafts (org_id, inbox_id, updated_at DESC, id DESC);

-- Files that were given to us to be sent later; the bytes are a blob.
CREATE TABLE uploads (
  org_id        text COLLATE "C" NOT NULL,
  id            text COLLATE "C" NOT NULL,
  inbox_id      text COLLATE "C" NOT NULL,
  filename      text NOT NULL,
  content_type  text NOT NULL,
  size          integer NOT NULL,
  sha256        text COLLATE "C" NOT NULL,
  created_at    timestamptz(3) NOT NULL,
  PRIMARY KEY (org_id, id)
);
CREATE INDEX uploads_of_blob ON uploads (org_id, sha256);

ALTER TABLE suppressions
  ADD COLUMN kind text NOT NULL DEFAULT 'bounce',
  -- Whose mail it stops: one inbox's after an unsubscription; null, the organization's, after a bounce or complaint.
  ADD COLUMN inbox_id text COLLATE "C";
DROP INDEX suppressions_once;
CREATE UNIQUE INDEX suppressions_once ON suppressions (org_id, email, inbox_id) NULLS NOT DISTINCT;

-- What became of an inbox's mail since somebody last cleared it.
CREATE TABLE inbox_health (
  org_id      text COLLATE "C" NOT NULL,
  inbox_id    text COLLATE "C" NOT NULL,
  sent        integer NOT NULL DEFAULT 0,
  bounced     integer NOT NULL DEFAULT 0,
  complained  integer NOT NULL DEFAULT 0,
  since       timestamptz(3) NOT NULL,
  PRIMARY KEY (org_id, inbox_id)
);

-- Domains whose addresses an organization wants to write from. directory_domain says who holds a name: it is taken on verification.
CREATE TABLE domains (
  org_id        text COLLATE "C" NOT NULL,
  id            text COLLATE "C" NOT NULL,
  domain        text COLLATE "C" NOT NULL,
  -- It is, or was, POSTROOM_MAIL_DOMAIN: the operator vouches for it.
  is_mail_domain boolean NOT NULL,
  status        text NOT NULL,
  -- What the last check saw, by record: {"mx": {"status", "fix"}, "dkim:SELECTOR": …}.
  findings      jsonb NOT NULL DEFAULT '{}',
  checked_at    timestamptz(3),
  verified_at   timestamptz(3),
  -- Since when the daily check misses a record that was there before.
  failing_since timestamptz(3),
  created_at    timestamptz(3) NOT NULL,
  PRIMARY KEY (org_id, id)
);
CREATE UNIQUE INDEX domains_by_name ON domains (org_id, domain);

-- DKIM keys of a domain, one a selector; the private part is encrypted with a key that is not in the database.
CREATE TABLE domain_keys (
  org_id       text COLLATE "C" NOT NULL,
  domain_id    text COLLATE "C" NOT NULL,
  selector     text COLLATE "C" NOT NULL,
  private_key  text NOT NULL,
  public_key   text NOT NULL,
  signs        boolean NOT NULL,
  -- When its record was last seen in the DNS; until then nothing is signed with it.
  published_at timestamptz(3),
  -- When another key took its place.
  retired_at   timestamptz(3),
  created_at   timestamptz(3) NOT NULL,
  PRIMARY KEY (org_id, domain_id, selector)
);

-- What the loop guard counts: the newest sends of agents in a thread, with those that wait, without those that never go.
CREATE FUNCTION agent_sends(of_org text, of_thread text) RETURNS TABLE (id text, created_at timestamptz)
LANGUAGE sql STABLE AS $$
  SELECT m.id, m.created_at FROM messages m
  WHERE m.org_id = of_org AND m.thread_id = of_thread AND m.by_agent AND m.direction = 'outbound'
    AND m.status NOT IN ('rejected', 'expired', 'cancelled')
  ORDER BY m.created_at DESC, m.id DESC LIMIT 10
$$;

-- What must still be true when a mail is stored. PR001 where it is not: look up and decide again.
CREATE FUNCTION store_conditions(conditions jsonb) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  found_rows bigint;
BEGIN
  -- The thread still ends with the message that the sender knew.
  PERFORM 1 FROM threads t
  JOIN jsonb_to_recordset(conditions -> 'threads') AS n (org_id text, id text, last_message_id text)
    ON n.org_id = t.org_id AND n.id = t.id AND n.last_message_id = t.last_message_id
  ORDER BY t.org_id, t.id FOR UPDATE OF t;
  GET DIAGNOSTICS found_rows = ROW_COUNT;
  IF found_rows <> jsonb_array_length(conditions -> 'threads') THEN
    RAISE EXCEPTION 'a thread has a newer message' USING ERRCODE = 'PR001';
  END IF;

  -- One agent after the other: the thread is locked before it is looked at again, so each has counted all before it.
  PERFORM 1 FROM threads t
  JOIN jsonb_to_recordset(conditions -> 'agent_sends') AS n (org_id text, thread_id text)
    ON n.org_id = t.org_id AND n.thread_id = t.id
  ORDER BY t.org_id, t.id FOR UPDATE OF t;
  PERFORM 1 FROM jsonb_to_recordset(conditions -> 'agent_sends') AS n (org_id text, thread_id text, known text[])
  WHERE n.known <> ARRAY(
    SELECT s.id FROM agent_sends(n.org_id, n.thread_id) AS s ORDER BY s.created_at DESC, s.id DESC);
  IF FOUND THEN
    RAISE EXCEPTION 'an agent has written in the thread meanwhile' USING ERRCODE = 'PR001';
  END IF;

  INSERT INTO idempotency AS i
  SELECT n.org_id, n.route, n.key, n.inbox_id, n.body_sha256, n.answer, n.expires_at
  FROM jsonb_to_recordset(conditions -> 'idempotency') AS n (
    org_id text, route text, key text, inbox_id text, body_sha256 text, answer text, expires_at timestamptz,
    at timestamptz)
  ON CONFLICT (org_id, route, key) DO UPDATE
    SET inbox_id = excluded.inbox_id, body_sha256 = excluded.body_sha256, answer = excluded.answer,
      expires_at = excluded.expires_at
    WHERE i.expires_at <= (SELECT min(n.at) FROM jsonb_to_recordset(conditions -> 'idempotency') AS n (at timestamptz));
  GET DIAGNOSTICS found_rows = ROW_COUNT;
  IF found_rows <> jsonb_array_length(conditions -> 'idempotency') THEN
    RAISE EXCEPTION 'the same request was answered meanwhile' USING ERRCODE = 'PR001';
  END IF;

  INSERT INTO send_counters AS c
  SELECT n.org_id, n.counter, n.starts_at, n.added
  FROM jsonb_to_recordset(conditions -> 'counters')
    AS n (org_id text, counter text, starts_at timestamptz, added integer)
  ORDER BY n.org_id, n.counter, n.starts_at
  ON CONFLICT (org_id, counter, starts_at) DO UPDATE SET count = c.count + excluded.count;
  PERFORM 1
  FROM jsonb_to_recordset(conditions -> 'counters')
    AS n (org_id text, counter text, starts_at timestamptz, most integer)
  JOIN send_counters c ON c.org_id = n.org_id AND c.counter = n.counter AND c.starts_at = n.starts_at
  WHERE c.count > n.most;
  IF FOUND THEN
    RAISE EXCEPTION 'a cap was reached meanwhile' USING ERRCODE = 'PR001';
  END IF;

  UPDATE drafts d SET sent_message_id = n.message_id
  FROM jsonb_to_recordset(conditions -> 'drafts') AS n (org_id text, id text, updated_at timestamptz, message_id text)
  WHERE d.org_id = n.org_id AND d.id = n.id AND d.sent_message_id IS NULL AND d.updated_at = n.updated_at;
  GET DIAGNOSTICS found_rows = ROW_COUNT;
  IF found_rows <> jsonb_array_length(conditions -> 'drafts') THEN
    RAISE EXCEPTION 'a draft was sent or changed meanwhile' USING ERRCODE = 'PR001';
  END IF;

  INSERT INTO reviews
  SELECT * FROM jsonb_populate_recordset(NULL::reviews, conditions -> 'reviews');
END
$$;

-- A mail that waited goes on: `was` becomes `status`, its jobs are enqueued, and its thread learns of it where it goes
-- now (`news`, as touch_threads takes it). False, and nothing done: it does not wait any more, or for another hour.
CREATE FUNCTION let_go(change jsonb) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
  current_thread text;
BEGIN
  UPDATE messages SET status = change ->> 'status'
  WHERE org_id = change ->> 'org_id' AND id = change ->> 'id' AND status = change ->> 'was'
    AND send_at IS NOT DISTINCT FROM (change ->> 'send_at')::timestamptz
  RETURNING thread_id INTO current_thread;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  INSERT INTO jobs SELECT * FROM jsonb_populate_recordset(NULL::jobs, change -> 'jobs');
  -- The thread may have been joined to another since the message was read.
  PERFORM touch_threads(jsonb_build_array(change -> 'news' || jsonb_build_object('thread_id', current_thread)));
  RETURN true;
END
$$;

-- A person decides about a mail that waits, or its time is over: review, mail, audit and events, all or nothing.
-- `going` is what let_go takes; without it the mail never goes. False, and nothing done: it was decided before.
CREATE FUNCTION resolve_review(change jsonb) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
  at timestamptz := change ->> 'at';
  mail text;
BEGIN
  UPDATE reviews SET status = change ->> 'status', resolved_at = at, resolved_by = change ->> 'by', note = change ->> 'note'
  WHERE org_id = change ->> 'org_id' AND id = change ->> 'id' AND status = 'pending' AND sha256 = change ->> 'sha256'
  RETURNING message_id INTO mail;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  IF change ? 'going' THEN
    IF NOT let_go(change -> 'going') THEN
      RAISE EXCEPTION 'the mail does not wait any more' USING ERRCODE = 'PR001';
    END IF;
  ELSE
    UPDATE messages SET status = change ->> 'status'
    WHERE org_id = change ->> 'org_id' AND id = mail AND status = 'pending_review';
    UPDATE recipients SET status = 'cancelled', detail = change ->> 'detail', updated_at = at
    WHERE org_id = change ->> 'org_id' AND message_id = mail AND status = 'queued';
  END IF;
  INSERT INTO audit SELECT * FROM jsonb_populate_recordset(NULL::audit, change -> 'audit');
  INSERT INTO events (org_id, id, event, inbox_id, thread_id, message_id, data, created_at)
  SELECT e.org_id, e.id, e.event, e.inbox_id, e.thread_id, e.message_id, e.data, e.created_at
  FROM jsonb_populate_recordset(NULL::events, change -> 'events') AS e;
  RETURN true;
END
$$;
