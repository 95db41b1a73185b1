-- $1 charge, $2 whether its driver is answered by it
SELECT outcome, (subject).id, (subject).place_id, (subject).driver, (subject).full_cost, (subject).status,
    (extract(epoch FROM (subject).date_from) * 1000)::bigint AS date_from,
    (extract(epoch FROM (subject).date_to) * 1000)::bigint AS date_to
FROM charge_void($1, $2)
