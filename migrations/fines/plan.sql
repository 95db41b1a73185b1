-- Plans of fines: the amount and deadline of each part, and whether the plan still holds.

-- Whether the parts of a fine can be paid one by one. An open appeal stops the clock.
CREATE OR REPLACE FUNCTION plan_runs(it fine, at timestamptz) RETURNS boolean
LANGUAGE sql STABLE
RETURN it.status = 'issued' AND it.plan_parts IS NOT NULL AND least(at, it.frozen_since) < it.plan_until;

-- A part of a total: the first parts take the minor units that cannot be divided.
CREATE OR REPLACE FUNCTION part_amount(total bigint, parts int, part int) RETURNS bigint
LANGUAGE sql IMMUTABLE
RETURN total / parts + CASE WHEN part <= total % parts THEN 1 ELSE 0 END;

-- The price of all parts of a fine together. A fine that is paid in parts has no discount.
CREATE OR REPLACE FUNCTION offered_total(it fine, at timestamptz) RETURNS bigint
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN greatest(it.amount, due_amount(it, at));
END
$$;

-- Whether a fine can be paid in so many parts, by the schedule that it took with it. A part is a whole unit of the
-- currency at least.
CREATE OR REPLACE FUNCTION offers_plan(it fine, the_parts int, at timestamptz) RETURNS boolean
LANGUAGE sql STABLE
RETURN it.status = 'issued' AND it.plan_parts IS NULL
    AND the_parts BETWEEN 2 AND coalesce((it.schedule ->> 'plan_parts')::int, 0)
    AND offered_total(it, at) / the_parts >= 100;

CREATE OR REPLACE FUNCTION plan_days(it fine) RETURNS int
LANGUAGE sql STABLE
RETURN coalesce((it.schedule ->> 'plan_days')::int, 30);

-- The plan of a fine, or a preview of it.
CREATE OR REPLACE FUNCTION show_plan(it fine, offered_parts int DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    n int := coalesce(it.plan_parts, offered_parts);
    total bigint := coalesce(it.plan_total, offered_total(it, now()));
    -- The time of the first part's payment; now for a preview.
    began timestamptz := coalesce(it.plan_until - make_interval(days => plan_days(it)) * it.payments, now());
BEGIN
    IF n IS NULL THEN
        RETURN NULL;
    END IF;
    RETURN jsonb_build_object(
        'status', CASE
            WHEN it.plan_parts IS NULL THEN 'offered'
            WHEN it.status = 'paid' THEN 'paid'
            WHEN plan_runs(it, now()) THEN 'running'
            ELSE 'over'
        END,
        'total', total / 100.0,
        'parts', (
            SELECT jsonb_agg(jsonb_build_object(
                'number', part,
                'amount', part_amount(total, n, part) / 100.0,
                'due_date', iso(began + make_interval(days => plan_days(it)) * (part - 1)),
                'paid', it.status = 'paid' OR part <= it.payments
            ) ORDER BY part)
            FROM generate_series(1, n) AS part
        )
    );
END
$$;
