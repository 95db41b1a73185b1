-- A code is money, so wrong ones are counted: per user, and per network because users cost nothing.

CREATE OR REPLACE FUNCTION has_guessed_enough(of_user uuid, in_network text) RETURNS bool LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM promocode_guess
        WHERE since > now() - interval '1 hour' AND (
            guesser = 'user:' || of_user AND misses >= 20
            OR guesser = 'network:' || in_network AND misses >= 200))
$$;

CREATE OR REPLACE FUNCTION note_guess(of_user uuid, in_network text) RETURNS void LANGUAGE sql AS $$
    INSERT INTO promocode_guess AS it (guesser)
    SELECT guesser FROM (VALUES ('network:' || in_network), ('user:' || of_user)) AS both_of (guesser)
    WHERE guesser IS NOT NULL
    ORDER BY guesser
    ON CONFLICT (guesser) DO UPDATE
    SET misses = CASE WHEN it.since > now() - interval '1 hour' THEN it.misses + 1 ELSE 1 END,
        since = CASE WHEN it.since > now() - interval '1 hour' THEN it.since ELSE now() END
$$;

-- Claims a code for a user's main, unless the user or the network of the request has named too many wrong ones.
CREATE OR REPLACE FUNCTION claim_promocode(transfer_id uuid, of_user uuid, with_code text, in_network text)
RETURNS movement LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
DECLARE
    answer movement;
    known uuid := (SELECT id FROM promocode WHERE code = with_code);
BEGIN
    IF has_guessed_enough(of_user, in_network) THEN
        RETURN refused('too_many_guesses');
    ELSIF known IS NOT NULL AND NOT take_seat(known, 1, 4) THEN
        RETURN refused('crowded');
    END IF;
    answer := activate_promocode(transfer_id, of_user, with_code);
    IF answer.outcome = 'unknown_code' THEN
        PERFORM note_guess(of_user, in_network);
    END IF;
    RETURN answer;
END $$;

-- The code of that text, for a user who knows it.
CREATE OR REPLACE FUNCTION look_up_promocode(with_code text, of_user uuid, in_network text)
RETURNS TABLE (outcome text, known promocode)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
BEGIN
    IF has_guessed_enough(of_user, in_network) THEN
        outcome := 'too_many_guesses';
    ELSE
        SELECT promocode.* INTO known FROM promocode WHERE code = with_code;
        outcome := CASE WHEN known.id IS NULL THEN 'unknown_code' ELSE 'moved' END;
        IF outcome = 'unknown_code' THEN
            PERFORM note_guess(of_user, in_network);
        END IF;
    END IF;
    RETURN NEXT;
END $$;

-- Deletes guesses that no longer count. Answers how many.
CREATE OR REPLACE FUNCTION purge_guesses(at_most int)
RETURNS int LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
DECLARE
    purged int;
BEGIN
    DELETE FROM promocode_guess WHERE guesser IN (
        SELECT guesser FROM promocode_guess WHERE since < now() - interval '1 hour'
        ORDER BY since LIMIT at_most FOR UPDATE SKIP LOCKED);
    GET DIAGNOSTICS purged = ROW_COUNT;
    RETURN purged;
END $$;

REVOKE ALL ON FUNCTION has_guessed_enough, note_guess, claim_promocode, look_up_promocode, purge_guesses FROM PUBLIC;
GRANT EXECUTE ON FUNCTION claim_promocode, look_up_promocode, purge_guesses TO wharf_payments;
