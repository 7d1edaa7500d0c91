-- Version 3. What agents' builds say of their plugins and their properties, under the SHA-256 of the document. Which
-- build has which is in the lists of components (version 2).
CREATE TABLE schemas (
  hash    BLOB PRIMARY KEY,
  kind    TEXT NOT NULL,
  version TEXT NOT NULL,
  plugins INTEGER NOT NULL,
  bytes   INTEGER NOT NULL, -- of the document
  packed  BLOB NOT NULL,    -- the document, with gzip
  since   INTEGER NOT NULL
) STRICT;
