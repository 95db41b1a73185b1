-- $1 user, $2 chat, $3 template, $4 event, $5 parameters, or null for a letter with a code in it, $6 whether it may wait
-- for the digest
-- The notice is in the inbox whatever channels its person chose.
WITH person AS (
    SELECT preference.*, $6::bool AND preference.email AND preference.digest_at IS NOT NULL AS waits_for_digest,
        quiet_end(preference, now()) AS quiet_end
    FROM preference
    WHERE user_id = $1::uuid
), kept AS (
    INSERT INTO inbox (user_id, event, template, params, waits_for_digest)
    SELECT $1, $4::uuid, $3::text, $5::jsonb, coalesce((SELECT waits_for_digest FROM person), false)
    WHERE $5::jsonb IS NOT NULL
    ON CONFLICT ON CONSTRAINT inbox_once DO NOTHING
)
SELECT
    coalesce(person.language, 'en') AS language,
    coalesce(person.telegram, true) AS telegram,
    coalesce(person.email, true) AS email,
    coalesce(person.waits_for_digest, false) AS waits_for_digest,
    millis(person.quiet_end) AS quiet_end,
    EXISTS (SELECT FROM silent_chat WHERE chat = $2::bigint) AS chat_is_silent,
    EXISTS (SELECT FROM linked_chat WHERE user_id = $1 AND chat = $2) AS chat_is_linked,
    to_jsonb(ARRAY(
        SELECT webhook.id FROM webhook
        WHERE owner = $1 AND coalesce(person.webhook, true)
            -- What one that was disabled misses waits for a week.
            AND (disabled_at IS NULL OR disabled_at > now() - interval '7 days')
            AND (templates IS NULL OR $3 = ANY (templates))
        ORDER BY created_at
    )) AS webhooks
FROM (VALUES ($1)) AS told (id)
LEFT JOIN person ON true
WHERE commit_with_settlement()
