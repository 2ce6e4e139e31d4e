-- A thread keeps its first thousand participants: whoever writes to it with two thousand recipients a mail must not make every
-- look at it cost megabytes. Who comes later is in the messages, and counts as new to the thread.
CREATE OR REPLACE FUNCTION merge_participants(known jsonb, added jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(jsonb_agg(person ORDER BY place), '[]'::jsonb)
  FROM (
    SELECT person, place
    FROM (
      SELECT DISTINCT ON (lower(person ->> 'email')) person, place
      FROM jsonb_array_elements(known || added) WITH ORDINALITY AS people (person, place)
      ORDER BY lower(person ->> 'email'), place
    ) AS firsts
    ORDER BY place
    LIMIT 1000
  ) AS kept
$$;
