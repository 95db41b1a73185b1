-- Lists of the fines in a state, in a zone and in all.
CREATE INDEX fine_in_state ON fine (zone_id, status, id) WHERE hidden_at IS NULL;
CREATE INDEX fine_by_state ON fine (status, id) WHERE hidden_at IS NULL;
