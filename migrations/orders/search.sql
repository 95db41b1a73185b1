-- A page of the products of all shops of whose names `the_part` is a part, in the order of their ids. An index finds a rare name. The
-- products of a frequent one are met soon in the order of the list.
CREATE OR REPLACE FUNCTION search_products(
    the_part text, the_caller uuid, is_admin boolean, is_all boolean, page bigint, skipped bigint
) RETURNS TABLE (product_id bigint)
LANGUAGE plpgsql STABLE ROWS 10
-- The plan depends on whether the name is rare.
SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
    -- So many products tell whether a name is frequent.
    sample CONSTANT bigint := 200;
    few CONSTANT bigint := 1000;
    -- No name is longer, and the index looks up each trigram of the part.
    part text := lower(left(the_part, 201));
    rare bigint[];
BEGIN
    -- The index needs three letters or digits in a row.
    IF part ~ '[[:alnum:]]{3}' AND skipped > (
        SELECT count(*) - page
        FROM (SELECT name FROM product WHERE deleted_at IS NULL ORDER BY id LIMIT sample) AS first
        WHERE strpos(lower(name), part) > 0
    ) THEN
        rare := ARRAY(
            SELECT id FROM product
            WHERE lower(name) LIKE '%' || regexp_replace(part, '([\\%_])', '\\\1', 'g') || '%' AND deleted_at IS NULL
            LIMIT few + 1
        );
        IF cardinality(rare) > few THEN
            rare := NULL;
        END IF;
    END IF;
    RETURN QUERY SELECT p.id
    FROM product p
    JOIN category c ON c.id = p.category_id
    WHERE p.deleted_at IS NULL
        AND (rare IS NULL OR p.id = ANY (rare))
        AND strpos(lower(p.name), part) > 0
        AND ((p.enabled AND c.enabled) OR (is_all AND may(p.shop_id, the_caller, is_admin, 'edit_menu')))
    ORDER BY p.id
    LIMIT page OFFSET skipped;
END
$$;
