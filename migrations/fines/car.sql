-- Cars. A plate is one car.

-- Registers a car for its driver. A plate without an owner is theirs from now on, with the fines that wait for it.
CREATE OR REPLACE FUNCTION register_car(
    the_plate text, written text, the_owner uuid, as_guest boolean, the_brand text, the_model text
) RETURNS TABLE (outcome text, plate text, brand text, model text)
LANGUAGE plpgsql AS $$
DECLARE
    c car;
BEGIN
    INSERT INTO car (plate, shown, brand, model, owner, is_guest)
    VALUES (the_plate, written, the_brand, the_model, CASE WHEN NOT as_guest THEN the_owner END, as_guest)
    ON CONFLICT DO NOTHING
    RETURNING * INTO c;
    IF c.plate IS NULL THEN
        SELECT * INTO c FROM car WHERE car.plate = the_plate FOR UPDATE;
        -- Plates of the guest can be registered repeatedly, and drivers can take theirs over.
        IF (c.owner IS NOT NULL AND c.listed) OR (c.is_guest AND c.listed AND as_guest) THEN
            RETURN QUERY SELECT 'plate_taken', NULL::text, NULL::text, NULL::text;
            RETURN;
        END IF;
        UPDATE car SET
            shown = written, brand = the_brand, model = the_model, listed = true, is_guest = as_guest,
            owner = CASE WHEN NOT as_guest THEN the_owner END, owned_since = now()
        WHERE car.plate = the_plate
        RETURNING * INTO c;
    END IF;
    IF NOT as_guest THEN
        PERFORM claim_fines(the_plate, the_owner);
    END IF;
    RETURN QUERY SELECT 'created', c.shown, c.brand, c.model;
END
$$;

CREATE OR REPLACE FUNCTION change_car(
    the_plate text, the_owner uuid, new_plate text, written text, the_brand text, the_model text
) RETURNS TABLE (outcome text, plate text, brand text, model text)
LANGUAGE plpgsql AS $$
DECLARE
    c car;
    made record;
BEGIN
    SELECT * INTO c FROM car WHERE car.plate = the_plate AND owner = the_owner AND listed FOR UPDATE;
    IF NOT FOUND THEN
        RETURN QUERY SELECT 'unknown_car', NULL::text, NULL::text, NULL::text;
        RETURN;
    END IF;
    IF new_plate IS NULL OR new_plate = the_plate THEN
        UPDATE car SET
            shown = coalesce(written, shown), brand = coalesce(the_brand, car.brand), model = coalesce(the_model, car.model)
        WHERE car.plate = the_plate
        RETURNING * INTO c;
        RETURN QUERY SELECT 'changed', c.shown, c.brand, c.model;
        RETURN;
    END IF;
    -- Another plate is another car: tickets and fines stay with the plate that they are about.
    SELECT * INTO made FROM register_car(
        new_plate, written, the_owner, false, coalesce(the_brand, c.brand), coalesce(the_model, c.model)
    );
    IF made.outcome = 'created' THEN
        UPDATE car SET owner = NULL, listed = false WHERE car.plate = the_plate;
        made.outcome := 'changed';
    END IF;
    RETURN QUERY SELECT made.outcome, made.plate, made.brand, made.model;
END
$$;
