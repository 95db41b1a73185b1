-- Takes back the counts of an attempt that was right; answers how many counts were lowered.
CREATE OR REPLACE FUNCTION forgive_try(gates text[]) RETURNS bigint
LANGUAGE sql AS $$
    WITH forgiven AS (
        UPDATE try SET count = count - 1
        WHERE gate IN (SELECT gate FROM try WHERE gate = ANY (gates) AND count > 0 ORDER BY gate FOR UPDATE)
        RETURNING 1
    )
    SELECT count(*) FROM forgiven
$$;
