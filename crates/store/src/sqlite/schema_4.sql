-- Version 4. What agents go back to, and what pushes follow from.

-- The last config before the assigned one that an agent applied.
CREATE TABLE former_configs (
  agent  BLOB PRIMARY KEY,
  config BLOB NOT NULL REFERENCES configs (hash),
  push   TEXT NOT NULL,
  since  INTEGER NOT NULL
) STRICT;
CREATE INDEX former_configs_config ON former_configs (config);

ALTER TABLE pushes ADD COLUMN origin TEXT; -- 'retry' or 'roll-back' of another push
ALTER TABLE pushes ADD COLUMN origin_push TEXT;
