-- $1 before this act or null, $2 limit
-- What was proposed and not done since. The week stands here, too, because an index finds it: counts() alone reads all proposals.
SELECT id, subject, about, act, stage, amount, currency, actor, reason, millis(acted_at) AS acted_at
FROM manual_act AS proposal
WHERE stage = 'proposed' AND acted_at > now() - interval '7 days' AND counts(proposal, now())
    AND ($1::bigint IS NULL OR id < $1)
    AND NOT EXISTS (
        SELECT FROM manual_act AS later
        WHERE (later.subject, later.about) = (proposal.subject, proposal.about) AND later.id > proposal.id
    )
ORDER BY id DESC
LIMIT $2
