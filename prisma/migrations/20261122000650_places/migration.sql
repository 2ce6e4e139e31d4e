-- Whether mail that was just stored lies where its evidence leads: a person may have split or merged the thread after
-- the mail was decided on. To be called after touch_threads, which waits for such a change (it locks the thread) and lets
-- the next one see this mail. SQLSTATE PR001: look up and decide again. Mail of ours goes where it was told to.
CREATE FUNCTION check_places(messages jsonb) RETURNS void
LANGUAGE plpgsql
SET enable_seqscan TO off SET enable_hashjoin TO off SET enable_mergejoin TO off
AS $$
BEGIN
  PERFORM 1
  FROM jsonb_to_recordset(messages) AS n (
    org_id text, inbox_id text, thread_id text, direction text, match_method text, match_evidence text)
  WHERE n.direction = 'inbound' AND n.match_evidence IS NOT NULL AND n.thread_id <> CASE n.match_method
    -- The signature was checked; it names the mail that is answered by the suffix of its id.
    WHEN 'reply_token' THEN coalesce((
      SELECT m.thread_id FROM messages m
      WHERE m.org_id = n.org_id AND m.id = 'msg_' || lower(
        (regexp_match(n.match_evidence, '(?:^<|\+t-)([0-7][0-9a-hjkmnp-tv-z]{25})', 'i'))[1])), n.thread_id)
    ELSE (
      SELECT coalesce(
        (SELECT r.into_id FROM thread_redirects r WHERE r.org_id = k.org_id AND r.id = k.thread_id),
        k.thread_id)
      FROM message_ids k
      WHERE k.org_id = n.org_id AND k.inbox_id = n.inbox_id AND k.rfc_id = n.match_evidence)
    END;
  IF FOUND THEN
    RAISE EXCEPTION 'a thread of the batch was rearranged' USING ERRCODE = 'PR001';
  END IF;
END
$$;
