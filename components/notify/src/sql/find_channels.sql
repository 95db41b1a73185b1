-- $1 user, $2 chat, $3 template, $4 event, $5 parameters, or null for a letter with a code in it
-- The notice is in the inbox whatever channels its person chose.
WITH kept AS (
    INSERT INTO inbox (user_id, event, template, params)
    SELECT $1::uuid, $4::uuid, $3::text, $5::jsonb WHERE $5::jsonb IS NOT NULL
    ON CONFLICT ON CONSTRAINT inbox_once DO NOTHING
)
SELECT
    coalesce(preference.language, 'en') AS language,
    coalesce(preference.telegram, true) AS telegram,
    coalesce(preference.email, true) AS email,
    EXISTS (SELECT FROM silent_chat WHERE chat = $2::bigint) AS chat_is_silent,
    EXISTS (SELECT FROM linked_chat WHERE user_id = $1 AND chat = $2) AS chat_is_linked,
    to_jsonb(ARRAY(
        SELECT webhook.id FROM webhook
        WHERE owner = $1 AND coalesce(preference.webhook, true)
            -- What one that was disabled misses waits for a week.
            AND (disabled_at IS NULL OR disabled_at > now() - interval '7 days')
            AND (templates IS NULL OR $3 = ANY (templates))
        ORDER BY created_at
    )) AS webhooks
FROM (VALUES ($1::uuid)) AS person (id)
LEFT JOIN preference ON preference.user_id = person.id
