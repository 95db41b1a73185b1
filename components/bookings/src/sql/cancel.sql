-- $1 booking, $2 caller, $3 caller is admin, $4 hide
SELECT outcome, refunds, (subject).id, (subject).place_id, (subject).driver, (subject).full_cost, (subject).status,
    (extract(epoch FROM (subject).date_from) * 1000)::bigint AS date_from,
    (extract(epoch FROM (subject).date_to) * 1000)::bigint AS date_to
FROM cancel($1, $2, $3, $4)
