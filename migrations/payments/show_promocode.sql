-- A promo code as statements read it: moments in milliseconds, and whether it can still be claimed.
CREATE OR REPLACE FUNCTION show_promocode(it promocode)
RETURNS TABLE (
    code text, amount bigint, max_uses int, used_count int, remaining_uses int, max_uses_per_user int,
    expires_at bigint, is_active bool
)
LANGUAGE sql STABLE AS $$
    SELECT it.code, it.amount, it.max_uses, it.used_count, it.max_uses - it.used_count, it.max_uses_per_user,
        millis(it.expires_at), it.used_count < it.max_uses AND (it.expires_at IS NULL OR it.expires_at > now())
$$;

-- Functions of this schema are granted by name.
REVOKE ALL ON FUNCTION show_promocode FROM PUBLIC;
GRANT EXECUTE ON FUNCTION show_promocode TO wharf_payments;
