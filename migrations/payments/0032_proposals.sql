-- What waits for a second admin is found among the proposals of a week.
CREATE INDEX manual_act_proposed ON manual_act (acted_at) WHERE stage = 'proposed';
