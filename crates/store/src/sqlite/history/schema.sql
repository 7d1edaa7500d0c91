-- Names of components, which agents have in common. Removed when they have not been used for longer than the oldest
-- block is old.
CREATE TABLE layouts (
  id INTEGER PRIMARY KEY,
  hash BLOB NOT NULL UNIQUE,
  names BLOB NOT NULL,
  last_used INTEGER NOT NULL
);
-- In the order in which they were written, so that the oldest have the lowest ids. Times are milliseconds since 1970.
CREATE TABLE blocks (
  id INTEGER PRIMARY KEY,
  agent BLOB NOT NULL,
  begins INTEGER NOT NULL,
  ends INTEGER NOT NULL,
  layout INTEGER NOT NULL,
  points BLOB NOT NULL
);
CREATE INDEX blocks_by_agent ON blocks (agent, ends);
