-- A database of the first schema, as `.dump` writes it. It must open for ever; samples are never changed.
BEGIN TRANSACTION;
CREATE TABLE _sqlx_migrations (
    version BIGINT PRIMARY KEY,
    description TEXT NOT NULL,
    installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    success BOOLEAN NOT NULL,
    checksum BLOB NOT NULL,
    execution_time BIGINT NOT NULL
);
INSERT INTO "_sqlx_migrations" VALUES(1,'accounts and channels','2025-11-24 07:00:00',1,X'BA83FE8F0D3FEB0F1950F538E0F03593609AAF106C6658CB129E6B8AE0F14C930F16959AC78E4925F9C1A4A2B5945FAE',1000);
CREATE TABLE account (
    id INTEGER PRIMARY KEY,
    handle TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    created_unix_ms INTEGER NOT NULL,
    token_version INTEGER NOT NULL,
    password_hash TEXT
) STRICT;
INSERT INTO "account" VALUES(11,'kim','김민지',1800000000011,2,'$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21l$FUxYR2zs+Vj1xRJSWPKJ3dSlmO0YGVfNsFLmdVyTnGw');
INSERT INTO "account" VALUES(12,'lamp','Lamp',1800000000012,0,NULL);
CREATE TABLE channel (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    owner INTEGER NOT NULL,
    created_unix_ms INTEGER NOT NULL,
    history_shared INTEGER NOT NULL
) STRICT;
INSERT INTO "channel" VALUES(31,'점심',11,1800000000031,1);
CREATE TABLE device (
    id INTEGER PRIMARY KEY,
    account INTEGER NOT NULL REFERENCES account (id),
    name TEXT NOT NULL,
    created_unix_ms INTEGER NOT NULL,
    token_sha256 BLOB UNIQUE
) STRICT;
INSERT INTO "device" VALUES(21,11,'phone',1800000000021,NULL);
INSERT INTO "device" VALUES(22,12,'lamp',1800000000022,X'2222222222222222222222222222222222222222222222222222222222222222');
CREATE TABLE intent (
    id INTEGER PRIMARY KEY,
    channel INTEGER NOT NULL REFERENCES channel (id),
    user INTEGER NOT NULL,
    by INTEGER NOT NULL,
    change INTEGER NOT NULL CHECK (change IN (1, 2))
) STRICT;
INSERT INTO "intent" VALUES(41,31,12,11,1);
CREATE TABLE member (
    channel INTEGER NOT NULL REFERENCES channel (id),
    user INTEGER NOT NULL,
    joined_seq INTEGER NOT NULL,
    left_seq INTEGER,
    PRIMARY KEY (channel, user, joined_seq)
) STRICT, WITHOUT ROWID;
INSERT INTO "member" VALUES(31,11,1,NULL);
INSERT INTO "member" VALUES(31,12,2,5);
CREATE TABLE revocation (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    account INTEGER NOT NULL,
    device INTEGER
) STRICT;
INSERT INTO "revocation" VALUES(1,11,NULL);
INSERT INTO "revocation" VALUES(2,11,20);
CREATE TABLE signing_key (
    id TEXT PRIMARY KEY,
    secret BLOB NOT NULL CHECK (length(secret) = 32),
    created_unix_ms INTEGER NOT NULL
) STRICT;
INSERT INTO "signing_key" VALUES('0011223344556677',X'3333333333333333333333333333333333333333333333333333333333333333',1800000000000);
CREATE INDEX device_of_account ON device (account, id);
CREATE INDEX member_now ON member (user, channel) WHERE left_seq IS NULL;
CREATE INDEX intent_of_channel ON intent (channel, id);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('revocation',2);
COMMIT;
