-- The last measurement of what waits: one row. It is lost with a crash of PostgreSQL, and made again.
CREATE UNLOGGED TABLE measured (
    is_only  bool PRIMARY KEY DEFAULT true CONSTRAINT measured_once CHECK (is_only),
    at       timestamptz NOT NULL,
    took     interval NOT NULL,
    backlog  jsonb NOT NULL
);
