-- $1 booking
SELECT id, booking_id, charge_id, amount
FROM jsonb_to_recordset(owed($1)) AS refund (id uuid, booking_id bigint, charge_id uuid, amount bigint)
