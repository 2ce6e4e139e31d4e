-- What BM25 needs beside the words: how long a chunk is and in which language its words were stemmed.

ALTER TABLE chunks
  ADD COLUMN language text NOT NULL DEFAULT 'simple',
  -- Content words, repetitions counted.
  ADD COLUMN length integer NOT NULL DEFAULT 0;
ALTER TABLE documents
  ADD COLUMN language text NOT NULL DEFAULT 'simple',
  -- The lengths of its chunks together.
  ADD COLUMN length integer NOT NULL DEFAULT 0;

-- A search reads `words` of every chunk with a word of the question: unpacking them each time costs more than the bytes saved.
ALTER TABLE chunks SET (toast_tuple_target = 8160);
ALTER TABLE chunks ALTER COLUMN words SET STORAGE MAIN;

-- The embedded database has no autovacuum that would empty the list of pending entries, and each search reads that list.
ALTER INDEX chunks_words SET (fastupdate = off);

-- Reading a document twice, also by two workers at a time, leaves one row a place.
DROP INDEX chunks_of_document;
CREATE UNIQUE INDEX chunks_of_document ON chunks (org_id, document_id, position);

CREATE INDEX documents_newest ON documents (org_id, inbox_id, created_at DESC, id DESC);
