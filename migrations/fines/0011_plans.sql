-- Plans: fines that are paid in parts.
ALTER TABLE fine
    -- Payments that count; they are made one after another.
    ADD COLUMN payments int NOT NULL DEFAULT 0,
    -- In how many parts it is paid, how much they are together, and until when the next one is to be paid. A plan
    -- whose next part is late is over, and all of the fine is due.
    ADD COLUMN plan_parts int CONSTRAINT fine_plan_in_bounds CHECK (plan_parts BETWEEN 2 AND 60),
    ADD COLUMN plan_total bigint,
    ADD COLUMN plan_until timestamptz,
    ADD CONSTRAINT fine_plan_is_whole CHECK (
        (plan_parts IS NULL) = (plan_total IS NULL) AND (plan_parts IS NULL) = (plan_until IS NULL)
    );
UPDATE fine SET payments = 1 WHERE paid_charge IS NOT NULL;

ALTER TABLE charge
    -- Of a fine: which of its payments it is. Of two charges with one number the first one that is paid counts.
    ADD COLUMN nth int NOT NULL DEFAULT 1,
    -- Of a part of a plan: how many parts there are, and how much they are together. Otherwise it pays all that is left.
    ADD COLUMN parts int,
    ADD COLUMN plan_total bigint,
    ADD CONSTRAINT charge_part_is_one_of_a_plan CHECK (
        (parts IS NULL) = (plan_total IS NULL) AND (parts IS NULL OR nth BETWEEN 1 AND parts)
    );

ALTER TABLE fine_event
    DROP CONSTRAINT fine_event_kind_known,
    ADD CONSTRAINT fine_event_kind_known CHECK (kind IN (
        'issued', 'stepped', 'paid', 'appealed', 'message', 'accepted', 'rejected', 'withdrawn', 'hidden', 'photo',
        'anonymized', 'planned', 'part_paid', 'plan_ended'
    ));
