-- A webhook as its owner sees it, moments in milliseconds.
CREATE OR REPLACE FUNCTION show_webhook(it webhook)
RETURNS TABLE (
    id uuid, owner uuid, url text, templates text[], created_at bigint, disabled_at bigint, disabled_because text,
    failures int
)
LANGUAGE sql STABLE AS $$
    SELECT it.id, it.owner, it.url, it.templates, millis(it.created_at), millis(it.disabled_at),
        it.disabled_because, it.failures
$$;
