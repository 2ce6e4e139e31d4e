-- The first shape of the house. SQL of PostgreSQL 15; the embedded database runs the same file.
-- Every table leads its keys with org_id; the exceptions say where to look (directory_*), or are claimed and tailed across organizations (jobs, events, cursors).

CREATE EXTENSION IF NOT EXISTS vector;

CREATE TABLE organizations (
  id          text COLLATE "C" PRIMARY KEY,
  name        text NOT NULL,
  slug        text NOT NULL UNIQUE,
  -- What is done with mail whose author's domain asks for it to be rejected: store, marked; or reject.
  dmarc_policy text NOT NULL DEFAULT 'store',
  created_at  timestamptz(3) NOT NULL
);

-- Where to look: small reference tables that lead from what the outside knows to an organization.
CREATE TABLE directory_address (
  address     text COLLATE "C" PRIMARY KEY,
  org_id      text COLLATE "C" NOT NULL,
  inbox_id    text COLLATE "C" NOT NULL,
  retired_at  timestamptz(3)
);
CREATE TABLE directory_key (
  hash        text COLLATE "C" PRIMARY KEY,
  org_id      text COLLATE "C" NOT NULL,
  key_id      text COLLATE "C" NOT NULL
);
CREATE TABLE directory_user (
  email       text COLLATE "C" PRIMARY KEY,
  org_id      text COLLATE "C" NOT NULL,
  user_id     text COLLATE "C" NOT NULL
);
CREATE TABLE directory_domain (
  name        text COLLATE "C" PRIMARY KEY,
  org_id      text COLLATE "C" NOT NULL,
  domain_id   text COLLATE "C" NOT NULL
);

CREATE TABLE api_keys (
  org_id       text COLLATE "C" NOT NULL,
  id           text COLLATE "C" NOT NULL,
  hash         text COLLATE "C" NOT NULL,
  prefix       text NOT NULL,
  name         text NOT NULL,
  scopes       text[] NOT NULL,
  inbox_ids    text[] NOT NULL,
  all_inboxes  boolean NOT NULL DEFAULT true,
  agent        boolean NOT NULL DEFAULT false,
  interactive  boolean NOT NULL DEFAULT false,
  expires_at   timestamptz(3),
  revoked_at   timestamptz(3),
  created_at   timestamptz(3) NOT NULL,
  PRIMARY KEY (org_id, id)
);

CREATE TABLE inboxes (
  org_id               text COLLATE "C" NOT NULL,
  id                   text COLLATE "C" NOT NULL,
  address              text NOT NULL,
  local_part           text NOT NULL,
  domain               text NOT NULL,
  display_name         text,
  agent_prompt         text,
  webhook_url          text,
  webhook_secret       text NOT NULL,
  webhook_disabled_at  timestamptz(3),
  is_active            boolean NOT NULL DEFAULT true,
  send_policy          text NOT NULL DEFAULT 'open',
  client_id            text,
  created_at           timestamptz(3) NOT NULL,
  deleted_at           timestamptz(3),
  PRIMARY KEY (org_id, id)
);
CREATE UNIQUE INDEX inboxes_client_id ON inboxes (org_id, client_id) WHERE deleted_at IS NULL;

CREATE TABLE list_entries (
  org_id    text COLLATE "C" NOT NULL,
  inbox_id  text COLLATE "C" NOT NULL,
  list      text NOT NULL,
  entry     text COLLATE "C" NOT NULL,
  PRIMARY KEY (org_id, inbox_id, list, entry)
);

CREATE TABLE threads (
  org_id             text COLLATE "C" NOT NULL,
  id                 text COLLATE "C" NOT NULL,
  inbox_id           text COLLATE "C" NOT NULL,
  subject            text NOT NULL,
  participants       jsonb NOT NULL,
  message_count      integer NOT NULL,
  is_read            boolean NOT NULL,
  is_archived        boolean NOT NULL DEFAULT false,
  waiting_on         text,
  preview            text NOT NULL,
  -- Whose subject it has.
  first_message_id   text COLLATE "C" NOT NULL,
  last_message_id    text COLLATE "C" NOT NULL,
  last_message_at    timestamptz(3) NOT NULL,
  latest_inbound_at  timestamptz(3),
  has_outbound       boolean NOT NULL,
  created_at         timestamptz(3) NOT NULL,
  PRIMARY KEY (org_id, id)
);
CREATE INDEX threads_newest ON threads (org_id, inbox_id, last_message_at DESC, id DESC);

-- Where a thread went that was joined to another; always the last one, never a chain.
CREATE TABLE thread_redirects (
  org_id   text COLLATE "C" NOT NULL,
  id       text COLLATE "C" NOT NULL,
  into_id  text COLLATE "C" NOT NULL,
  PRIMARY KEY (org_id, id)
);
CREATE INDEX thread_redirects_into ON thread_redirects (org_id, into_id);

CREATE TABLE messages (
  org_id             text COLLATE "C" NOT NULL,
  id                 text COLLATE "C" NOT NULL,
  inbox_id           text COLLATE "C" NOT NULL,
  thread_id          text COLLATE "C" NOT NULL,
  direction          text NOT NULL,
  status             text NOT NULL,
  delivery           text NOT NULL DEFAULT 'email',
  "from"             jsonb,
  "to"               jsonb NOT NULL,
  cc                 jsonb NOT NULL,
  bcc                jsonb NOT NULL,
  reply_to           jsonb NOT NULL,
  subject            text NOT NULL,
  text_body          text NOT NULL,
  html_body          text,
  -- Null: all of text_body.
  new_text           text,
  quoted             jsonb NOT NULL,
  hidden_text_removed integer NOT NULL,
  codes              jsonb NOT NULL,
  links              jsonb NOT NULL,
  message_id_header  text,
  in_reply_to        text,
  "references"       text[] NOT NULL,
  match_method       text NOT NULL,
  match_evidence     text,
  parse_status       text NOT NULL,
  auto_reply         text,
  bounce             jsonb,
  authentication     jsonb,
  sender_flags       text[] NOT NULL,
  envelope           jsonb NOT NULL,
  raw_sha256         text COLLATE "C" NOT NULL,
  size               integer NOT NULL,
  by_agent           boolean NOT NULL DEFAULT false,
  sent_at            timestamptz(3),
  created_at         timestamptz(3) NOT NULL,
  PRIMARY KEY (org_id, id)
);
CREATE INDEX messages_newest ON messages (org_id, inbox_id, created_at DESC, id DESC);
CREATE INDEX messages_of_thread ON messages (org_id, thread_id, created_at, id);
CREATE INDEX messages_of_blob ON messages (org_id, raw_sha256);

-- One row a Message-ID that an inbox has seen, or has only seen mentioned (message_id is null): the way from
-- Message-ID, In-Reply-To and References to a thread. The thread may have gone into another: thread_redirects.
CREATE TABLE message_ids (
  org_id      text COLLATE "C" NOT NULL,
  inbox_id    text COLLATE "C" NOT NULL,
  rfc_id      text COLLATE "C" NOT NULL,
  thread_id   text COLLATE "C" NOT NULL,
  message_id  text COLLATE "C",
  PRIMARY KEY (org_id, inbox_id, rfc_id)
);

-- Deliveries already taken: the same bytes for the same inbox again are the same mail until expires_at.
CREATE TABLE seen (
  org_id      text COLLATE "C" NOT NULL,
  inbox_id    text COLLATE "C" NOT NULL,
  hash        text COLLATE "C" NOT NULL,
  message_id  text COLLATE "C" NOT NULL,
  expires_at  timestamptz(3) NOT NULL,
  PRIMARY KEY (org_id, inbox_id, hash)
);

CREATE TABLE attachments (
  org_id        text COLLATE "C" NOT NULL,
  id            text COLLATE "C" NOT NULL,
  inbox_id      text COLLATE "C" NOT NULL,
  message_id    text COLLATE "C" NOT NULL,
  position      integer NOT NULL,
  filename      text,
  content_type  text NOT NULL,
  size          integer NOT NULL,
  inline        boolean NOT NULL,
  content_id    text,
  PRIMARY KEY (org_id, id)
);
CREATE INDEX attachments_of_message ON attachments (org_id, message_id, position);

CREATE TABLE recipients (
  org_id      text COLLATE "C" NOT NULL,
  message_id  text COLLATE "C" NOT NULL,
  email       text COLLATE "C" NOT NULL,
  position    integer NOT NULL,
  status      text NOT NULL,
  code        integer,
  detail      text,
  updated_at  timestamptz(3) NOT NULL,
  PRIMARY KEY (org_id, message_id, email)
);

-- Addresses that are not written to any more, since a report named a mail of ours that they will never take.
CREATE TABLE suppressions (
  org_id      text COLLATE "C" NOT NULL,
  id          text COLLATE "C" NOT NULL,
  email       text COLLATE "C" NOT NULL,
  reason      text NOT NULL,
  message_id  text COLLATE "C" NOT NULL,
  created_at  timestamptz(3) NOT NULL,
  PRIMARY KEY (org_id, id)
);
CREATE UNIQUE INDEX suppressions_once ON suppressions (org_id, email);

-- Work that must follow a row, enqueued in the row's own transaction and claimed under a lease by any worker.
CREATE TABLE jobs (
  id            text COLLATE "C" PRIMARY KEY,
  org_id        text COLLATE "C" NOT NULL,
  name          text NOT NULL,
  payload       jsonb NOT NULL,
  run_at        timestamptz(3) NOT NULL,
  attempts      integer NOT NULL DEFAULT 0,
  leased_until  timestamptz(3),
  lease         text,
  last_error    text,
  created_at    timestamptz(3) NOT NULL
);
CREATE INDEX jobs_due ON jobs (run_at, id);

-- The log of what happened, in commit order: readers order by (xid, seq) and take only xid < pg_snapshot_xmin(pg_current_snapshot()), since a serial alone is not commit order.
CREATE TABLE events (
  org_id      text COLLATE "C" NOT NULL,
  xid         xid8 NOT NULL DEFAULT pg_current_xact_id(),
  seq         bigserial NOT NULL,
  id          text COLLATE "C" NOT NULL,
  event       text NOT NULL,
  inbox_id    text COLLATE "C",
  thread_id   text COLLATE "C",
  message_id  text COLLATE "C",
  data        jsonb NOT NULL,
  created_at  timestamptz(3) NOT NULL,
  PRIMARY KEY (org_id, id)
);
CREATE INDEX events_in_order ON events (xid, seq);

-- How far a reader of the log has come.
CREATE TABLE cursors (
  name  text PRIMARY KEY,
  xid   xid8 NOT NULL,
  seq   bigint NOT NULL
);

CREATE TABLE webhook_deliveries (
  org_id           text COLLATE "C" NOT NULL,
  id               text COLLATE "C" NOT NULL,
  inbox_id         text COLLATE "C" NOT NULL,
  event_id         text COLLATE "C" NOT NULL,
  event            text NOT NULL,
  url              text NOT NULL,
  body             text NOT NULL,
  status           text NOT NULL,
  next_attempt_at  timestamptz(3),
  created_at       timestamptz(3) NOT NULL,
  PRIMARY KEY (org_id, id)
);
CREATE UNIQUE INDEX webhook_deliveries_once ON webhook_deliveries (org_id, event_id, inbox_id);
CREATE INDEX webhook_deliveries_newest ON webhook_deliveries (org_id, inbox_id, created_at DESC, id DESC);

CREATE TABLE webhook_attempts (
  org_id       text COLLATE "C" NOT NULL,
  delivery_id  text COLLATE "C" NOT NULL,
  number       integer NOT NULL,
  started_at   timestamptz(3) NOT NULL,
  duration_ms  integer NOT NULL,
  http_status  integer,
  reason       text,
  answer       text,
  PRIMARY KEY (org_id, delivery_id, number)
);

CREATE TABLE documents (
  org_id        text COLLATE "C" NOT NULL,
  id            text COLLATE "C" NOT NULL,
  inbox_id      text COLLATE "C" NOT NULL,
  name          text NOT NULL,
  content_type  text NOT NULL,
  sha256        text COLLATE "C" NOT NULL,
  size          integer NOT NULL,
  version       integer NOT NULL,
  status        text NOT NULL,
  error         text,
  chunk_count   integer NOT NULL DEFAULT 0,
  created_at    timestamptz(3) NOT NULL,
  updated_at    timestamptz(3) NOT NULL,
  PRIMARY KEY (org_id, id)
);
CREATE UNIQUE INDEX documents_same ON documents (org_id, inbox_id, name, sha256);
CREATE INDEX documents_of_blob ON documents (org_id, sha256);

CREATE TABLE chunks (
  org_id       text COLLATE "C" NOT NULL,
  id           text COLLATE "C" NOT NULL,
  inbox_id     text COLLATE "C" NOT NULL,
  document_id  text COLLATE "C" NOT NULL,
  position     integer NOT NULL,
  heading      text,
  content      text NOT NULL,
  words        tsvector NOT NULL,
  PRIMARY KEY (org_id, id)
);
CREATE INDEX chunks_of_document ON chunks (org_id, document_id, position);
CREATE INDEX chunks_of_inbox ON chunks (org_id, inbox_id);
CREATE INDEX chunks_words ON chunks USING gin (words);
