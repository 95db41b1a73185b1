-- A bill as statements read it, moments in milliseconds.
CREATE OR REPLACE FUNCTION show_bill(it bill)
RETURNS TABLE (
    id text, kind text, reference text, title text, amount bigint, currency text, notification_url text,
    back_url text, expires_at bigint
)
LANGUAGE sql STABLE AS $$
    SELECT it.id, it.kind, it.reference, it.title, it.amount, it.currency, it.notification_url, it.back_url,
        millis(it.expires_at)
$$;
