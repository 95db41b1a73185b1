-- $1 code, $2 address, $3 request id
WITH shown AS MATERIALIZED (
    SELECT owner FROM passcode JOIN account AS owner ON owner.id = passcode.account
    WHERE code = $1 AND expires_at > now() AND owner.disabled_at IS NULL
)
SELECT person.*
FROM shown, person(shown.owner), write_audit('passcode-shown', (shown.owner).id, NULL, $2, $3)
