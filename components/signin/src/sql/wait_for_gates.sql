-- $1 gates, $2 their limits
-- How many seconds until all of them let somebody through.
SELECT coalesce(max(extract(epoch FROM until - now())), 0)::bigint
FROM try JOIN unnest($1::text[], $2::bigint[]) AS asked (name, most) ON try.gate = asked.name
WHERE until > now() AND count >= most
