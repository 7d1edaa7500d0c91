-- Version 2. What stands beside an agent's record, answers that may be asked for again, and indices for what is
-- collected.

-- What operators say of an agent, beside what it says of itself.
CREATE TABLE labels (
  agent BLOB NOT NULL,
  key   TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (agent, key)
) STRICT, WITHOUT ROWID;

-- Uids that agents had before the server gave them others (ruling A7).
CREATE TABLE aliases (
  old   BLOB PRIMARY KEY,
  new   BLOB NOT NULL,
  since INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX aliases_new ON aliases (new);
CREATE INDEX aliases_since ON aliases (since);

-- AvailableComponents by the hash that agents report, as the bytes that came (OpAMP S168).
CREATE TABLE components (
  hash       BLOB PRIMARY KEY,
  components BLOB NOT NULL,
  since      INTEGER NOT NULL
) STRICT;
CREATE INDEX components_since ON components (since);

-- First answers by idempotency key, for requests that come again.
CREATE TABLE idempotency (
  actor       TEXT NOT NULL,
  key         TEXT NOT NULL,
  fingerprint BLOB NOT NULL,
  status      INTEGER NOT NULL,
  location    TEXT,
  body        BLOB NOT NULL,
  created_at  INTEGER NOT NULL,
  PRIMARY KEY (actor, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_created ON idempotency (created_at);

-- What garbage collection asks: is this body or config still in use? Which pushes are the newest?
CREATE INDEX agents_effective ON agents (effective_body);
CREATE INDEX assignments_config ON assignments (config);
CREATE INDEX pushes_config ON pushes (config);
CREATE INDEX pushes_at ON pushes (at);
CREATE INDEX commands_agent ON commands (agent);

-- Connection settings that operators ask for. Headers and private keys are in `settings` as they are sent: the file is
-- as secret as the admin token beside it.
CREATE TABLE connection_settings (
  name     TEXT PRIMARY KEY,
  target   TEXT NOT NULL, -- fleet, selector or agent
  query    TEXT,
  agent    BLOB,
  priority INTEGER NOT NULL,
  interval INTEGER,       -- seconds between heartbeats; 0 is off
  force    INTEGER NOT NULL,
  settings BLOB NOT NULL, -- a ConnectionSettingsOffers
  actor    TEXT NOT NULL,
  at       INTEGER NOT NULL,
  revision INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What an agent was offered of them last, and what it took.
CREATE TABLE agent_settings (
  agent          BLOB PRIMARY KEY,
  hash           BLOB,
  offered_at     INTEGER,
  opamp_hash     BLOB,
  opamp_at       INTEGER,
  opamp_interval INTEGER,
  moved_to       TEXT,
  own_told       INTEGER NOT NULL,
  in_force       INTEGER
) STRICT, WITHOUT ROWID;
