-- Version 1. Times are milliseconds since 1970; uids and hashes are raw bytes.
CREATE TABLE meta (
  key   TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO meta VALUES ('revision', 0), ('clean', 1);

-- What changed in which transaction, so that other nodes can follow.
CREATE TABLE changes (
  revision INTEGER NOT NULL,
  kind     TEXT NOT NULL,
  key      TEXT NOT NULL,
  PRIMARY KEY (revision, kind, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE leases (
  name       TEXT PRIMARY KEY,
  holder     TEXT NOT NULL,
  epoch      INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Bodies are kept once by the hash of their bytes.
CREATE TABLE bodies (
  hash BLOB PRIMARY KEY,
  body BLOB NOT NULL
) STRICT;

CREATE TABLE agents (
  uid             BLOB PRIMARY KEY,
  host_credential TEXT,
  first_seen      INTEGER NOT NULL,
  last_seen       INTEGER NOT NULL,
  sequence_num    INTEGER,
  capabilities    INTEGER NOT NULL,
  link            TEXT NOT NULL CHECK (link IN ('up-websocket', 'up-http', 'down', 'departed')),
  link_since      INTEGER NOT NULL,
  -- The reported parts but the effective config, as one AgentToServer.
  reported        BLOB NOT NULL,
  effective_body  BLOB REFERENCES bodies (hash),
  -- When each part was heard; NULL for one that was not.
  at_description  INTEGER,
  at_health       INTEGER,
  at_effective    INTEGER,
  at_config       INTEGER,
  at_packages     INTEGER,
  at_custom       INTEGER,
  at_components   INTEGER,
  at_connection   INTEGER
) STRICT;

CREATE TABLE configs (
  hash       BLOB PRIMARY KEY,
  files      BLOB NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE pushes (
  id      TEXT PRIMARY KEY,
  config  BLOB NOT NULL REFERENCES configs (hash),
  query   TEXT NOT NULL,
  actor   TEXT NOT NULL,
  at      INTEGER NOT NULL,
  targets BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE push_refusals (
  push   TEXT NOT NULL REFERENCES pushes (id) ON DELETE CASCADE,
  agent  BLOB NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (push, agent)
) STRICT, WITHOUT ROWID;

CREATE TABLE assignments (
  agent  BLOB PRIMARY KEY,
  config BLOB NOT NULL REFERENCES configs (hash),
  push   TEXT NOT NULL,
  since  INTEGER NOT NULL
) STRICT;

CREATE TABLE commands (
  id          TEXT PRIMARY KEY,
  agent       BLOB NOT NULL,
  kind        TEXT NOT NULL CHECK (kind IN ('restart', 'custom')),
  capability  TEXT,
  type        TEXT,
  data        BLOB,
  answers     INTEGER NOT NULL,
  state       TEXT NOT NULL,
  actor       TEXT NOT NULL,
  created_at  INTEGER NOT NULL,
  deadline    INTEGER NOT NULL,
  sent_at     INTEGER,
  start_time  INTEGER NOT NULL,
  finished_at INTEGER,
  answer_type TEXT,
  answer      BLOB,
  detail      TEXT
) STRICT;
CREATE INDEX commands_open ON commands (finished_at);

CREATE TABLE events (
  number INTEGER PRIMARY KEY,
  at     INTEGER NOT NULL,
  kind   TEXT NOT NULL,
  agent  BLOB NOT NULL,
  text   TEXT NOT NULL
) STRICT;

CREATE TABLE audit (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  at     INTEGER NOT NULL,
  actor  TEXT NOT NULL,
  face   TEXT NOT NULL,
  action TEXT NOT NULL,
  target TEXT NOT NULL,
  detail TEXT NOT NULL
) STRICT;
