-- The name of one side of a transfer on a user's receipt. It names no other person.
CREATE OR REPLACE FUNCTION side_name(side account, to_user uuid) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN side.kind = 'further' THEN side.name
        WHEN side.owner = to_user THEN 'your wallet'
        WHEN side.kind = 'main' THEN 'wallet of another user'
        WHEN side.name = 'psp' THEN 'payment provider'
        WHEN side.name = 'payouts' THEN 'payout'
        WHEN side.name = 'external' THEN 'outside'
        ELSE side.name
    END
$$;

REVOKE ALL ON FUNCTION side_name FROM PUBLIC;
GRANT EXECUTE ON FUNCTION side_name TO wharf_payments;
