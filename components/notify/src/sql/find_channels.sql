-- $1 user, $2 chat, $3 template
SELECT
    coalesce(preference.language, 'en') AS language,
    coalesce(preference.telegram, true) AS telegram,
    coalesce(preference.email, true) AS email,
    EXISTS (SELECT FROM silent_chat WHERE chat = $2::bigint) AS chat_is_silent,
    to_jsonb(ARRAY(
        SELECT webhook.id FROM webhook
        -- No program is told of its own trouble.
        WHERE owner = $1 AND coalesce(preference.webhook, true) AND $3 <> 'webhook_disabled'
            -- What one that was disabled misses waits for a week.
            AND (disabled_at IS NULL OR disabled_at > now() - interval '7 days')
            AND (templates IS NULL OR $3 = ANY (templates))
        ORDER BY created_at
    )) AS webhooks
FROM (VALUES ($1::uuid)) AS person (id)
LEFT JOIN preference ON preference.user_id = person.id
