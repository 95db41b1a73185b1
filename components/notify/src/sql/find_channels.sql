-- $1 notices: their event, user, chat and template, whether they may wait for the digest, and their parameters, which are
-- null for a letter with a code in it
-- Every notice with parameters goes into the inbox, also of a person who chose no channel.
WITH notice AS MATERIALIZED (
    SELECT it.*, person.language, person.telegram, person.email, person.webhook, person.quiet_end,
        coalesce(it.can_wait AND person.email AND person.digest_at IS NOT NULL, false) AS waits_for_digest
    FROM jsonb_to_recordset($1::jsonb) AS it (
        event uuid, user_id uuid, chat bigint, template text, can_wait bool, params jsonb
    )
    LEFT JOIN LATERAL (
        SELECT preference.*, quiet_end(preference, now()) AS quiet_end FROM preference
        WHERE preference.user_id = it.user_id
        LIMIT 1
    ) AS person ON true
), kept AS (
    INSERT INTO inbox (user_id, event, template, params, waits_for_digest)
    SELECT user_id, event, template, params, waits_for_digest FROM notice
    WHERE params IS NOT NULL
    ORDER BY event
    ON CONFLICT ON CONSTRAINT inbox_once DO NOTHING
)
SELECT
    notice.event,
    coalesce(notice.language, 'en') AS language,
    coalesce(notice.telegram, true) AS telegram,
    coalesce(notice.email, true) AS email,
    notice.waits_for_digest,
    millis(notice.quiet_end) AS quiet_end,
    EXISTS (SELECT FROM silent_chat WHERE silent_chat.chat = notice.chat) AS chat_is_silent,
    EXISTS (
        SELECT FROM linked_chat WHERE linked_chat.user_id = notice.user_id AND linked_chat.chat = notice.chat
    ) AS chat_is_linked,
    to_jsonb(ARRAY(
        SELECT webhook.id FROM webhook
        WHERE webhook.owner = notice.user_id AND coalesce(notice.webhook, true)
            -- Notices for a disabled webhook are parked, in its first week.
            AND (webhook.disabled_at IS NULL OR webhook.disabled_at > now() - interval '7 days')
            AND (webhook.templates IS NULL OR notice.template = ANY (webhook.templates))
        ORDER BY webhook.created_at
    )) AS webhooks
FROM notice
WHERE (SELECT commit_with_settlement())
