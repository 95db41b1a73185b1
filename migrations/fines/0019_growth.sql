-- Sweeps read what is due and nothing of what stays for ever: fines that are never paid, their checks, photos of open cases.

-- Closed cases by the moment from which their retention counts.
DROP INDEX fine_to_anonymize;
CREATE INDEX fine_closed ON fine (coalesce(hidden_at, paid_at, issued_at))
    WHERE anonymized_at IS NULL AND (hidden_at IS NOT NULL OR status <> 'issued');
-- Fines whose driver is to be told of a discount or a part that ends.
CREATE INDEX fine_to_warn ON fine (next_step_at)
    WHERE status = 'issued' AND hidden_at IS NULL AND warned_at IS NULL AND (noted_due < amount OR plan_parts IS NOT NULL);

-- A check is deleted after its time unless a fine refers to it.
CREATE INDEX fine_by_check ON fine (check_id) WHERE check_id IS NOT NULL;
ALTER TABLE plate_check ADD COLUMN is_fined boolean NOT NULL DEFAULT false;
UPDATE plate_check SET is_fined = true FROM fine WHERE check_id = plate_check.id;
DROP INDEX plate_check_by_age;
CREATE INDEX plate_check_by_age ON plate_check (checked_at) WHERE NOT is_fined;
CREATE INDEX plate_check_by_plate ON plate_check (plate, id);

-- From then on the bytes of a photo are deleted: its case was anonymized, or it was never completed.
ALTER TABLE photo ADD COLUMN dropped_at timestamptz;
UPDATE photo SET dropped_at = now() FROM fine WHERE fine.id = fine_id AND anonymized_at IS NOT NULL;
DROP INDEX photo_incomplete;
CREATE INDEX photo_incomplete ON photo (added_at) WHERE sha256 IS NULL AND dropped_at IS NULL;
CREATE INDEX photo_dropped ON photo (dropped_at) WHERE dropped_at IS NOT NULL;

-- When a person is erased, removed tickets are theirs, too.
DROP INDEX ticket_by_buyer;
CREATE INDEX ticket_by_buyer ON ticket (buyer, id) WHERE buyer IS NOT NULL;
