-- Promo codes that the house pays for.

-- Makes one, and keeps who made it. What a code is worth is money that its users may withdraw, so of real money a worth
-- above `alone_up_to` takes a second admin who asks for the same.
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
    alone_up_to bigint
) RETURNS coined LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
DECLARE
    about text := coalesce(chosen, 'random');
    terms text := format('created: %s, %s uses, %s per user, until %s', of_amount, uses,
                         coalesce(uses_per_user::text, 'any'), coalesce(until::text, 'ended'));
    worth bigint := of_amount * uses;
    answer coined;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('promocode:' || about, 0));
    PERFORM FROM promocode WHERE id = promocode_id;
    IF NOT FOUND AND EXISTS (SELECT FROM money_mode WHERE NOT is_sandbox)
        AND NOT may_act('promocode', about, terms, worth, in_currency, NULL, by_admin, NULL, alone_up_to)
    THEN
        answer.outcome := 'needs_second_admin';
        RETURN answer;
    END IF;
    answer := create_promocode(promocode_id, by_admin, chosen, fallback, of_amount, in_currency, uses, uses_per_user,
                               until);
    IF answer.outcome = 'coined' THEN
        PERFORM note_act('promocode', about, terms, worth, in_currency, by_admin, NULL);
    END IF;
    RETURN answer;
END $$;

REVOKE ALL ON FUNCTION issue_promocode FROM PUBLIC;
GRANT EXECUTE ON FUNCTION issue_promocode TO wharf_payments;
