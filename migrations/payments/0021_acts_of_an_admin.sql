-- What an admin did within a day, to be added up.
CREATE INDEX manual_act_of_actor ON manual_act (actor, acted_at);
