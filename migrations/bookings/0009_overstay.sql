-- When the car of a booking came and left, and what leaving late costs.
ALTER TABLE place
    -- {"grace_minutes": 15, "per": "hour", "rate_percent": 150, "max_cost": 5000}. Without it leaving late costs nothing.
    ADD overstay jsonb;

ALTER TABLE booking
    -- As the place had it when it was booked.
    ADD overstay jsonb,
    -- When the car came at first, and left at last.
    ADD checked_in_at timestamptz,
    ADD checked_out_at timestamptz,
    -- What leaving late costs, and what of it the driver has paid.
    ADD overstay_cost bigint NOT NULL DEFAULT 0,
    ADD overstay_paid bigint NOT NULL DEFAULT 0
        CONSTRAINT booking_overstay_paid CHECK (overstay_paid BETWEEN 0 AND overstay_cost),
    -- From when on a sweep takes what is owed of it.
    ADD overstay_due_at timestamptz,
    ADD CONSTRAINT booking_car_leaves_after_it_came
        CHECK (checked_out_at IS NULL OR coalesce(checked_in_at <= checked_out_at, false));

-- Cars that came to a place, the last time first.
CREATE INDEX booking_by_car ON booking (place_id, plate, checked_in_at) WHERE checked_in_at IS NOT NULL;
CREATE INDEX booking_overstay_owed ON booking (overstay_due_at) WHERE overstay_paid < overstay_cost;

-- Such a charge buys no time.
ALTER TABLE charge ADD is_overstay boolean NOT NULL DEFAULT false;
