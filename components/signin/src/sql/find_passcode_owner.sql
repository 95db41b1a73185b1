-- $1 code, $2 address, $3 request id
WITH shown AS (
    SELECT owner FROM passcode JOIN account AS owner ON owner.id = passcode.account
    WHERE code = $1 AND expires_at > now() AND owner.disabled_at IS NULL
), audited AS (
    INSERT INTO audit (what, account, address, request_id) SELECT 'passcode-shown', (owner).id, $2, $3 FROM shown
)
SELECT person.* FROM shown, person(shown.owner)
