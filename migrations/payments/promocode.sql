-- Promo codes that the house pays for.

-- Makes a code, and records its admin and reason. The users of a code may withdraw its money, so in real money a code
-- takes a second admin who asks for the same when its worth, together with the codes that the admin has made alone within
-- a day, is above `alone_up_to`.
DROP FUNCTION IF EXISTS coined_alone(uuid, text);
DROP FUNCTION IF EXISTS issue_promocode(uuid, uuid, text, text, bigint, text, int, int, timestamptz, bigint);
CREATE OR REPLACE FUNCTION issue_promocode(
    promocode_id uuid,
    by_admin uuid,
    chosen text,
    fallback text,
    of_amount bigint,
    in_currency text,
    uses int,
    uses_per_user int,
    until timestamptz,
    alone_up_to bigint,
    why text DEFAULT NULL
) RETURNS coined LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
DECLARE
    about text := coalesce(chosen, 'random');
    terms text := format('created: %s, %s uses, %s per user, until %s', of_amount, uses,
                         coalesce(uses_per_user::text, 'any'), coalesce(until::text, 'ended'));
    worth bigint := of_amount * uses;
    answer coined;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('promocode:' || about, 0));
    PERFORM lock_acts(by_admin);
    PERFORM FROM promocode WHERE id = promocode_id;
    IF NOT FOUND AND EXISTS (SELECT FROM money_mode WHERE NOT is_sandbox)
        AND NOT may_act('promocode', about, terms, worth, in_currency, NULL, by_admin, why,
                        alone_up_to - done_alone(by_admin, 'promocode', 'created', in_currency))
    THEN
        answer.outcome := 'needs_second_admin';
        RETURN answer;
    END IF;
    answer := create_promocode(promocode_id, by_admin, chosen, fallback, of_amount, in_currency, uses, uses_per_user,
                               until);
    IF answer.outcome = 'coined' THEN
        PERFORM note_act('promocode', about, terms, worth, in_currency, by_admin, why);
    END IF;
    RETURN answer;
END $$;

-- Withdraws a code that the house pays for: from then on it cannot be claimed. The trace keeps which admin did it, and why.
DROP FUNCTION IF EXISTS withdraw_promocode_by_hand(text, uuid);
CREATE OR REPLACE FUNCTION withdraw_promocode_by_hand(with_code text, by_admin uuid, why text DEFAULT NULL)
RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
DECLARE
    outcome text := withdraw_promocode(with_code);
BEGIN
    IF outcome = 'withdrawn' THEN
        PERFORM note_act('promocode', with_code, 'withdrawn', amount, currency, by_admin, why)
        FROM promocode WHERE code = with_code;
    END IF;
    RETURN outcome;
END $$;

-- Without a trace and a second admin they are parts of these and no more.
REVOKE EXECUTE ON FUNCTION create_promocode, withdraw_promocode FROM wharf_payments;
REVOKE ALL ON FUNCTION issue_promocode, withdraw_promocode_by_hand FROM PUBLIC;
GRANT EXECUTE ON FUNCTION issue_promocode, withdraw_promocode_by_hand TO wharf_payments;
