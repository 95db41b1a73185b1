-- $1 request, $2 place, $3 driver, $4 and $5 window in ms, $6 expected cost
SELECT outcome, payment, due, payee, '[]'::jsonb AS earlier, '[]'::jsonb AS refunds,
    (extract(epoch FROM (subject).kept_to) * 1000)::bigint AS until,
    (subject).id, (subject).place_id, (subject).driver, (subject).full_cost, (subject).status,
    (extract(epoch FROM (subject).date_from) * 1000)::bigint AS date_from,
    (extract(epoch FROM (subject).date_to) * 1000)::bigint AS date_to
FROM book($1, $2, $3, to_timestamp($4::bigint / 1000.0), to_timestamp($5::bigint / 1000.0), $6)
