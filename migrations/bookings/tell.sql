-- A notice for both people of a booking, or for one of them. Times are those of the place.
CREATE OR REPLACE FUNCTION tell(
    the_booking booking, the_place place, what text, parts text[] DEFAULT ARRAY['driver', 'owner']
) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO events.outbox (kind, aggregate, payload)
    SELECT 'notify', 'booking:' || the_booking.id, jsonb_build_object(
        'user_id', reader.id,
        'template', 'booking_' || what || '_' || reader.part,
        'params', jsonb_build_object(
            'booking_id', the_booking.id,
            'place', the_place.name,
            'address', the_place.address,
            'date_from', to_char(the_booking.date_from AT TIME ZONE the_place.time_zone, 'YYYY-MM-DD HH24:MI'),
            'date_to', to_char(the_booking.date_to AT TIME ZONE the_place.time_zone, 'YYYY-MM-DD HH24:MI'),
            'time_zone', the_place.time_zone,
            'amount_cents', the_booking.full_cost,
            'currency', 'USD'
        ) || CASE WHEN what = 'overstay' THEN jsonb_build_object(
            'left_at', to_char(the_booking.checked_out_at AT TIME ZONE the_place.time_zone, 'YYYY-MM-DD HH24:MI')
        ) ELSE '{}' END
    )
    FROM (VALUES (the_booking.driver, 'driver'), (the_place.owner, 'owner')) AS reader (id, part)
    WHERE part = ANY (parts);
END
$$;
