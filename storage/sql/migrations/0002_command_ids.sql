-- One row: the millisecond up to which ids are given out to commands (INV-8). It never falls.
CREATE TABLE command_ids (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    reserved_unix_ms INTEGER NOT NULL
) STRICT;
INSERT INTO command_ids (only_row, reserved_unix_ms) VALUES (1, 0);
