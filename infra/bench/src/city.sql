-- A city: 5000 zones, 200000 cars of which each stands somewhere, 1000000 tickets, 100000 fines.
SET search_path = fines;
INSERT INTO zone (
    request, name, available, shape, west, south, east, north, price_offset, price_lin, price_exp, currency, rules, payee,
    created_by
)
SELECT gen_random_uuid(), 'Bench ' || n, true,
    json_build_object('type', 'MultiPolygon', 'coordinates', json_build_array(json_build_array(ring)))::text,
    x - 0.009, y - 0.009, x + 0.009, y + 0.009, 0.5, 1.2, 1, 'USD', '{
        "control": { "grace_minutes": 5, "duplicate_minutes": 60, "refund_early_end": false },
        "fines": {
            "discounts": [{ "days": 5, "percent": 30 }], "surcharges": [{ "days": 60, "percent": 50 }],
            "waiver_percent": 0, "appeal_days": 30, "plan_parts": 0, "plan_days": 30
        }
    }', '00000000-0000-4000-8000-000000000040', '00000000-0000-4000-8000-000000000040'
FROM generate_series(0, 4999) AS n
CROSS JOIN LATERAL (SELECT n % 100 * 0.02 AS x, n / 100 * 0.02 AS y) AS centre
CROSS JOIN LATERAL (
    SELECT json_agg(json_build_array(x + 0.009 * cosd(k % 24 * 15), y + 0.009 * sind(k % 24 * 15)) ORDER BY k) AS ring
    FROM generate_series(0, 24) AS k
) AS shape;

-- The controllers are the users of the other scenarios.
INSERT INTO zone_role (zone_id, user_id, username, role, assigned_by)
SELECT id, ('00000000-0000-4000-8000-' || lpad(to_hex(id % 64), 12, '0'))::uuid, 'user-' || id % 64, 'controller', 'bench'
FROM zone;

-- The first 64 cars are theirs.
INSERT INTO car (plate, shown, owner)
SELECT plate, plate,
    ('00000000-0000-4000-8000-' || lpad(to_hex(CASE WHEN n < 64 THEN n ELSE 1000000 + n % 50000 END), 12, '0'))::uuid
FROM generate_series(0, 199999) AS n
CROSS JOIN LATERAL (SELECT 'B' || lpad(n::text, 7, '0') AS plate) AS named;

-- Four tickets of each car are over, the fifth is valid.
INSERT INTO ticket (request, zone_id, plate, buyer, start_at, end_at, price, currency, paid_at, stay_from)
SELECT gen_random_uuid(), (SELECT min(id) FROM zone) + (n + 13 * k) % 5000, car.plate, car.owner, starts,
    starts + interval '12 hours', 1490, 'USD', starts, starts
FROM generate_series(0, 199999) AS n
CROSS JOIN generate_series(0, 4) AS k
CROSS JOIN LATERAL (SELECT now() - interval '10 minutes' - (4 - k) * interval '7 days' AS starts) AS stay
JOIN car ON car.plate = 'B' || lpad(n::text, 7, '0');

-- Each of the 64 has twenty, the others one or none.
INSERT INTO fine (
    request, reference, zone_id, plate, shown, amount, currency, issued_at, issuer, schedule, noted_due
)
SELECT gen_random_uuid(), 'bench-' || n, zone.id, car.plate, car.plate, 2000, 'USD', now() - n * interval '1 minute',
    '00000000-0000-4000-8000-000000000040', zone.rules -> 'fines', 2000
FROM generate_series(0, 99999) AS n
JOIN zone ON zone.id = (SELECT min(id) FROM zone) + n * 7 % 5000
JOIN car ON car.plate = 'B' || lpad((CASE WHEN n < 1280 THEN n % 64 ELSE n END)::text, 7, '0');
INSERT INTO fine_event (fine_id, actor, kind) SELECT id, issuer, 'issued' FROM fine;
INSERT INTO driver (user_id, seq, version)
SELECT owner, count(*), count(*) FROM fine JOIN car USING (plate) GROUP BY owner;
INSERT INTO feed (user_id, seq, fine_id)
SELECT owner, row_number() OVER (PARTITION BY owner ORDER BY fine.id), fine.id FROM fine JOIN car USING (plate);
VACUUM ANALYZE;
