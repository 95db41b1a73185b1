-- A payment that its payer or its bank takes back is a line in the history of its fine.
ALTER TABLE fine_event
    DROP CONSTRAINT fine_event_kind_known,
    ADD CONSTRAINT fine_event_kind_known CHECK (kind IN (
        'issued', 'stepped', 'paid', 'appealed', 'message', 'accepted', 'rejected', 'withdrawn', 'hidden', 'photo',
        'anonymized', 'planned', 'part_paid', 'plan_ended', 'returned'
    ));
