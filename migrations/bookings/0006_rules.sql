-- What an owner lays down about a place beside its price: when cars come and go, and what a late cancellation costs.
ALTER TABLE place
    -- Of its opening hours and of notices.
    ADD time_zone text NOT NULL DEFAULT 'UTC',
    -- [{"days": ["mon", …], "from": "08:00", "to": "20:00"}, …]: when cars may come and go. Without it at any time.
    ADD opening jsonb,
    -- [{"from": "…", "to": "…"}, …]: when the place cannot be used at all.
    ADD blackouts jsonb NOT NULL DEFAULT '[]',
    -- Until how many hours before its start a booking is canceled for free. Without it until its end.
    ADD refund_free_hours int
        CONSTRAINT place_refund_free_hours CHECK (refund_free_hours BETWEEN 0 AND 8760),
    -- The part of the price that the owner keeps at least of a booking that is canceled later.
    ADD refund_percent int NOT NULL DEFAULT 0
        CONSTRAINT place_refund_percent CHECK (refund_percent BETWEEN 0 AND 100);

ALTER TABLE booking
    -- As the place had them when it was booked.
    ADD refund_free_hours int,
    ADD refund_percent int NOT NULL DEFAULT 0,
    -- What the owner keeps at least, since the booking was changed when a cancellation was not free any more.
    ADD least_cost bigint NOT NULL DEFAULT 0 CONSTRAINT booking_least_cost CHECK (least_cost >= 0),
    -- What the owner kept of a booking that was canceled.
    ADD kept_cost bigint NOT NULL DEFAULT 0
        CONSTRAINT booking_kept_cost CHECK (kept_cost BETWEEN 0 AND full_cost AND (kept_cost = 0 OR status = 'Canceled')),
    -- From when on the place is kept while an earlier start is being paid.
    ADD held_from timestamptz;

CREATE INDEX booking_kept_of_canceled ON booking (date_to)
    WHERE status = 'Canceled' AND kept_cost > 0 AND kept_to > date_to;

-- The start of the booking that this charge buys, when it is another.
ALTER TABLE charge ADD date_from timestamptz;
