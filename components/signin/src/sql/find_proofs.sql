-- $1 session, $2 network
SELECT person.*, me.password, me.seal, me.totp, me.totp_offered, me.backup_batch,
    EXISTS (
        SELECT FROM known_network
        WHERE known_network.account = me.id AND network = $2 AND seen_at > now() - interval '90 days'
    ) AS is_known_network
FROM caller($1) AS me, person(me)
