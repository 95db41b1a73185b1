-- Codes that can still be claimed, by who made them. The sweep looks for those of people who were erased.
CREATE INDEX promocode_open ON promocode (created_by) WHERE used_count < max_uses AND expires_at IS NULL;
