-- Plate checks, fines and their history, what drivers poll, appeals.

-- What can be fined, and how much it costs.
CREATE TABLE violation (
    code text PRIMARY KEY CONSTRAINT violation_code_is_a_word CHECK (code ~ '^[A-Z0-9][A-Z0-9._-]{0,31}$'),
    title text NOT NULL,
    amount bigint NOT NULL CONSTRAINT violation_amount_in_bounds CHECK (amount BETWEEN 1 AND 100000000),
    currency text NOT NULL CONSTRAINT violation_currency_known CHECK (currency IN ('USD', 'EUR', 'BRL')),
    updated_at timestamptz NOT NULL DEFAULT now(),
    removed_at timestamptz
);

-- A car that was looked at, and what its ticket was at that moment.
CREATE TABLE plate_check (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    zone_id bigint NOT NULL REFERENCES zone (id),
    plate text NOT NULL,
    controller uuid NOT NULL,
    checked_at timestamptz NOT NULL DEFAULT now(),
    result text NOT NULL CONSTRAINT plate_check_result_known CHECK (result IN ('valid', 'grace', 'expired', 'none')),
    -- The ticket that is the reason, and its end.
    ticket_id bigint,
    valid_until timestamptz,
    grace_minutes int NOT NULL
);

CREATE INDEX plate_check_by_zone ON plate_check (zone_id, id);
CREATE INDEX plate_check_by_age ON plate_check (checked_at);

CREATE TABLE fine (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- The client's request: a copy of it finds the fine that the first one made.
    request uuid NOT NULL CONSTRAINT fine_once_per_request UNIQUE,
    -- Stands on the paper at the car. It cannot be guessed; with it the fine can be seen and paid.
    reference text NOT NULL CONSTRAINT fine_reference_is_unique UNIQUE,
    zone_id bigint NOT NULL REFERENCES zone (id),
    -- Absent once the case is anonymized.
    plate text REFERENCES car (plate) CONSTRAINT fine_plate_is_known CHECK (plate IS NOT NULL OR anonymized_at IS NOT NULL),
    -- As it was written.
    shown text,
    amount bigint NOT NULL CONSTRAINT fine_amount_in_bounds CHECK (amount BETWEEN 1 AND 100000000),
    currency text NOT NULL,
    issued_at timestamptz NOT NULL DEFAULT now(),
    issuer uuid NOT NULL,
    code text REFERENCES violation (code),
    place text,
    latitude double precision,
    longitude double precision,
    note text,
    check_id bigint REFERENCES plate_check (id),
    -- Why it was issued although something covered the car.
    override_reason text,
    -- The zone's schedule as it was at the issue: later changes are for later fines.
    schedule jsonb NOT NULL,
    status text NOT NULL DEFAULT 'issued'
        CONSTRAINT fine_status_known CHECK (status IN ('issued', 'paid', 'cancelled')),
    paid_at timestamptz,
    paid_charge uuid REFERENCES charge (id),
    paid_amount bigint,
    -- It was paid at the price of giving up the appeal.
    waived boolean NOT NULL DEFAULT false,
    -- An open appeal stops the clock; what it stopped before is not counted.
    frozen_since timestamptz,
    frozen interval NOT NULL DEFAULT '0',
    -- The discount that is offered again, once, after an appeal was rejected.
    discount_again_until timestamptz,
    -- When the amount that is due changes next, and how much was due when that was looked at last.
    next_step_at timestamptz,
    noted_due bigint NOT NULL,
    warned_at timestamptz,
    hidden_at timestamptz,
    hidden_by uuid,
    anonymized_at timestamptz,
    CONSTRAINT fine_paid_is_whole CHECK ((status = 'paid') = (paid_at IS NOT NULL) OR status = 'cancelled'),
    CONSTRAINT fine_place_is_whole CHECK ((latitude IS NULL) = (longitude IS NULL))
);

CREATE INDEX fine_by_plate ON fine (plate, issued_at);
CREATE INDEX fine_by_zone ON fine (zone_id, id) WHERE hidden_at IS NULL;
CREATE INDEX fine_to_anonymize ON fine (issued_at) WHERE anonymized_at IS NULL;
CREATE INDEX fine_to_step ON fine (next_step_at) WHERE status = 'issued' AND next_step_at IS NOT NULL;

-- A photo in S3, and its digest once it is complete.
CREATE TABLE photo (
    id uuid PRIMARY KEY,
    fine_id bigint NOT NULL REFERENCES fine (id),
    author uuid NOT NULL,
    by_staff boolean NOT NULL,
    size bigint NOT NULL CONSTRAINT photo_size_in_bounds CHECK (size BETWEEN 1 AND 10485760),
    media_type text NOT NULL
        CONSTRAINT photo_type_known CHECK (media_type IN ('image/jpeg', 'image/png', 'image/webp')),
    taken_at timestamptz,
    added_at timestamptz NOT NULL DEFAULT now(),
    upload text,
    sha256 text CONSTRAINT photo_digest_is_hex CHECK (sha256 ~ '^[0-9a-f]{64}$')
);

CREATE INDEX photo_by_fine ON photo (fine_id);
CREATE INDEX photo_incomplete ON photo (added_at) WHERE sha256 IS NULL;

-- What happened to a fine. Never changed, never deleted; people are forgotten by their ids, which mean nothing once
-- the accounts are gone.
CREATE TABLE fine_event (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    fine_id bigint NOT NULL REFERENCES fine (id),
    happened_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor uuid,
    kind text NOT NULL CONSTRAINT fine_event_kind_known CHECK (kind IN (
        'issued', 'stepped', 'paid', 'appealed', 'message', 'accepted', 'rejected', 'withdrawn', 'hidden', 'photo',
        'anonymized', 'planned'
    )),
    data jsonb NOT NULL DEFAULT '{}'
);

CREATE INDEX fine_event_by_fine ON fine_event (fine_id, id);

CREATE FUNCTION refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the history of a fine is only added to';
END
$$;

CREATE TRIGGER fine_event_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON fine_event
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

REVOKE UPDATE, DELETE, TRUNCATE ON fine_event FROM wharf_fines;

-- A driver who polls. The row is locked by whatever adds to the feed, so that numbers become visible in their order;
-- the version grows with every change of a fine in it.
CREATE TABLE driver (
    user_id uuid PRIMARY KEY,
    seq bigint NOT NULL DEFAULT 0,
    version bigint NOT NULL DEFAULT 0
);

-- The fines of a driver, in the order in which they came to know of them. A fine is one driver's at most, also when
-- the plate becomes another one's.
CREATE TABLE feed (
    user_id uuid NOT NULL REFERENCES driver (user_id),
    seq bigint NOT NULL,
    fine_id bigint NOT NULL REFERENCES fine (id) CONSTRAINT feed_fine_is_one_drivers UNIQUE,
    PRIMARY KEY (user_id, seq)
);

-- One appeal against a fine, decided by another person than the issuer.
CREATE TABLE appeal (
    fine_id bigint PRIMARY KEY REFERENCES fine (id),
    opened_by uuid NOT NULL,
    opened_at timestamptz NOT NULL DEFAULT now(),
    status text NOT NULL DEFAULT 'open'
        CONSTRAINT appeal_status_known CHECK (status IN ('open', 'accepted', 'rejected', 'withdrawn')),
    decided_by uuid,
    decided_at timestamptz,
    reason text,
    CONSTRAINT appeal_decision_is_whole CHECK ((status = 'open') = (decided_at IS NULL))
);

CREATE INDEX appeal_open ON appeal (opened_at) WHERE status = 'open';

CREATE TABLE appeal_message (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    fine_id bigint NOT NULL REFERENCES appeal (fine_id),
    author uuid NOT NULL,
    is_staff boolean NOT NULL,
    written_at timestamptz NOT NULL DEFAULT now(),
    text text NOT NULL
);

CREATE INDEX appeal_message_by_fine ON appeal_message (fine_id, id);
