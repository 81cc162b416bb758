CREATE TABLE account (
    id INTEGER PRIMARY KEY,
    handle TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    created_unix_ms INTEGER NOT NULL,
    token_version INTEGER NOT NULL,
    password_hash TEXT
) STRICT;

CREATE TABLE device (
    id INTEGER PRIMARY KEY,
    account INTEGER NOT NULL REFERENCES account (id),
    name TEXT NOT NULL,
    created_unix_ms INTEGER NOT NULL,
    token_sha256 BLOB UNIQUE
) STRICT;
CREATE INDEX device_of_account ON device (account, id);

-- A numbered log; AUTOINCREMENT so that a number is never given twice. No device: all of the account's.
CREATE TABLE revocation (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    account INTEGER NOT NULL,
    device INTEGER
) STRICT;

CREATE TABLE signing_key (
    id TEXT PRIMARY KEY,
    secret BLOB NOT NULL CHECK (length(secret) = 32),
    created_unix_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE channel (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    owner INTEGER NOT NULL,
    created_unix_ms INTEGER NOT NULL,
    history_shared INTEGER NOT NULL
) STRICT;

CREATE TABLE member (
    channel INTEGER NOT NULL REFERENCES channel (id),
    user INTEGER NOT NULL,
    joined_seq INTEGER NOT NULL,
    left_seq INTEGER,
    PRIMARY KEY (channel, user, joined_seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX member_now ON member (user, channel) WHERE left_seq IS NULL;

-- change: 1 join, 2 leave.
CREATE TABLE intent (
    id INTEGER PRIMARY KEY,
    channel INTEGER NOT NULL REFERENCES channel (id),
    user INTEGER NOT NULL,
    by INTEGER NOT NULL,
    change INTEGER NOT NULL CHECK (change IN (1, 2))
) STRICT;
CREATE INDEX intent_of_channel ON intent (channel, id);
