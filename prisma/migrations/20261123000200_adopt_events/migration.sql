-- A database that was dumped and restored on another PostgreSQL server brings transaction ids along that its new server has
-- not come to: what happens from now on would sort before them, and no reader would see it.
CREATE FUNCTION events_are_ahead() RETURNS boolean
LANGUAGE sql AS $$
  SELECT EXISTS (SELECT FROM events WHERE xid >= pg_snapshot_xmax(pg_current_snapshot()))
    OR EXISTS (SELECT FROM cursors WHERE xid >= pg_snapshot_xmax(pg_current_snapshot()))
$$;

-- Then the log is counted anew, in its order, below every id to come, and each reader stays where it was. True where that was
-- done. What its new server wrote before anybody looked has lower ids and is younger than all that came along: it goes behind.
CREATE FUNCTION adopt_events() RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
  moved_at timestamptz;
BEGIN
  IF NOT events_are_ahead() THEN
    RETURN false;
  END IF;
  -- Waits for whoever else starts, and sees what that one has done.
  LOCK TABLE events, cursors IN SHARE ROW EXCLUSIVE MODE;
  IF NOT events_are_ahead() THEN
    RETURN false;
  END IF;
  SELECT coalesce(max(created_at), 'infinity') INTO moved_at
  FROM events WHERE xid >= pg_snapshot_xmax(pg_current_snapshot());
  UPDATE cursors c SET xid = '1', seq = (
    SELECT count(*) FROM events e WHERE e.created_at <= moved_at AND (e.xid, e.seq) <= (c.xid, c.seq))
  WHERE c.xid > '0';
  UPDATE events e SET xid = '1', seq = o.place
  FROM (
    SELECT org_id, id, row_number() OVER (ORDER BY created_at > moved_at, xid, seq) AS place FROM events
  ) AS o
  WHERE e.org_id = o.org_id AND e.id = o.id;
  RETURN true;
END
$$;
