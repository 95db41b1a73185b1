-- The money of a paid fine stays held while its appeal is open. From then on the holds are to be extended.
ALTER TABLE appeal ADD COLUMN hold_due_at timestamptz NOT NULL DEFAULT now();
CREATE INDEX appeal_to_hold ON appeal (hold_due_at) WHERE status = 'open';
