-- Jobs of one name queue in lanes (for webhooks: the endpoint's host), so that a slow one delays only itself.
-- The index lets a claim hop from lane to lane instead of reading past everything that waits in a full one.

ALTER TABLE jobs ADD COLUMN lane text COLLATE "C" NOT NULL DEFAULT '';
CREATE INDEX jobs_of_lane ON jobs (name, lane, run_at, id);
