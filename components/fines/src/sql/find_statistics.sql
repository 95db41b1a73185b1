-- $1 since
WITH t AS (
    SELECT price, currency, buyer, paid_at, plate_count, extract(epoch FROM end_at - start_at) / 60 AS minutes
    FROM ticket WHERE removed_at IS NULL AND ($1::bigint IS NULL OR created_at >= moment($1))
), f AS (
    SELECT amount, currency, status, paid_amount
    FROM fine WHERE hidden_at IS NULL AND ($1 IS NULL OR issued_at >= moment($1))
), bucket (low, high, minutes) AS (
    VALUES (0, 30, '0-30'), (30, 60, '30-60'), (60, 120, '60-120'), (120, 240, '120-240'), (240, 480, '240-480'),
        (480, NULL, '480-')
)
SELECT jsonb_build_object(
    'cars', (SELECT count(*) FROM car WHERE listed),
    'zones', (SELECT count(*) FROM zone WHERE removed_at IS NULL),
    'tickets', (SELECT count(*) FROM t),
    'paid_tickets', (SELECT count(*) FROM t WHERE paid_at IS NOT NULL),
    'covered_plates', (SELECT coalesce(sum(plate_count), 0) FROM t),
    'buyers', (SELECT count(DISTINCT buyer) FROM t),
    'money', coalesce((
        SELECT jsonb_agg(jsonb_build_object(
            'currency', money.currency,
            'tickets', money.tickets / 100.0,
            'average_ticket', round(money.tickets / greatest(money.sold, 1)::numeric) / 100.0,
            'fines_issued', money.issued / 100.0,
            'fines_paid', money.paid / 100.0
        ) ORDER BY money.currency)
        FROM (
            SELECT currency, sum(tickets) AS tickets, sum(sold) AS sold, sum(issued) AS issued, sum(paid) AS paid
            FROM (
                SELECT currency, price AS tickets, 1 AS sold, 0 AS issued, 0 AS paid FROM t WHERE paid_at IS NOT NULL
                UNION ALL
                SELECT currency, 0, 0, amount, CASE WHEN status <> 'cancelled' THEN coalesce(paid_amount, 0) ELSE 0 END FROM f
            ) AS lines
            GROUP BY currency
        ) AS money
    ), '[]'),
    'durations', (
        SELECT jsonb_agg(jsonb_build_object(
            'minutes', bucket.minutes,
            'tickets', (SELECT count(*) FROM t WHERE t.minutes > low AND (high IS NULL OR t.minutes <= high))
        ) ORDER BY low)
        FROM bucket
    ),
    'fines', (SELECT count(*) FROM f),
    'paid_fines', (SELECT count(*) FROM f WHERE status = 'paid'),
    'cancelled_fines', (SELECT count(*) FROM f WHERE status = 'cancelled'),
    'paid_percent', (
        SELECT coalesce(round(100.0 * count(*) FILTER (WHERE status = 'paid') / nullif(count(*), 0)), 0)::bigint
        FROM f WHERE status <> 'cancelled'
    ),
    'open_appeals', (SELECT count(*) FROM appeal WHERE status = 'open')
) AS document
