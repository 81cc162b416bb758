-- One row that vouches for all others: SQLite notices damage of its structure, not of what is in a row, and takes a damaged log for a short one.
-- sum: of the hashes of all rows. commits: how many there were.
CREATE TABLE digest (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    sum INTEGER NOT NULL,
    commits INTEGER NOT NULL
) STRICT;
INSERT INTO digest (only_row, sum, commits) VALUES (1, 0, 0);
