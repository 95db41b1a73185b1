-- Every delivery as operators see it, and the events that are not delivered to any function. They see no code of a letter: the
-- component jobs is given letters and notices about security without what these say.
DROP VIEW IF EXISTS entry;
CREATE OR REPLACE FUNCTION shown(kind text, payload jsonb) RETURNS jsonb
LANGUAGE sql STABLE
RETURN CASE
    WHEN session_user = 'wharf_jobs' AND kind IN ('notify:security', 'deliver:letter') AND jsonb_typeof(payload) = 'object'
        THEN payload - '{params, subject, text}'::text[]
    ELSE payload
END;

CREATE VIEW entry AS
SELECT id, seq, kind, aggregate, NULL AS consumer, NULL AS lane, 'emitted' AS state, 0 AS attempts, 0 AS unsettled,
    0::bigint AS fence, millis(coalesce(not_before, created_at)) AS due_at, millis(created_at) AS created_at,
    NULL::bigint AS settled_at, shown(kind, payload) AS payload, NULL AS last_error, NULL AS parked_for, request_id
FROM outbox
UNION ALL
SELECT event, seq, kind, aggregate, consumer, lane, state, attempts, unsettled, fence, millis(due_at),
    millis(created_at), millis(settled_at), shown(kind, payload), last_error, parked_for, request_id
FROM delivery
UNION ALL
SELECT event, seq, kind, aggregate, consumer, lane, 'done', attempts, 0, fence, millis(settled_at),
    millis(created_at), millis(settled_at), shown(kind, payload), last_error, NULL, request_id
FROM archive;

REVOKE ALL ON entry FROM wharf_events;
GRANT SELECT ON entry TO wharf_jobs;
