-- A promo code that was just made, as statements read it: moments in milliseconds.
CREATE OR REPLACE FUNCTION show_coined(it coined)
RETURNS TABLE (
    outcome text, code text, amount bigint, max_uses int, max_uses_per_user int, expires_at bigint
)
LANGUAGE sql STABLE AS $$
    SELECT it.outcome, it.code, it.amount, it.max_uses, it.max_uses_per_user, millis(it.expires_at)
$$;

-- Functions of this schema are granted by name.
REVOKE ALL ON FUNCTION show_coined FROM PUBLIC;
GRANT EXECUTE ON FUNCTION show_coined TO wharf_payments;
