-- $1 booking, $2 caller, $3 caller is admin, $4 new end in ms
SELECT outcome, payment, due, payee, earlier, refunds,
    (extract(epoch FROM (subject).kept_to) * 1000)::bigint AS until,
    (subject).id, (subject).place_id, (subject).driver, (subject).full_cost, (subject).status,
    (extract(epoch FROM (subject).date_from) * 1000)::bigint AS date_from,
    (extract(epoch FROM (subject).date_to) * 1000)::bigint AS date_to
FROM move_end($1, $2, $3, to_timestamp($4::bigint / 1000.0))
