-- Photos of products: uploads, and the photos that a product shows.

DROP FUNCTION IF EXISTS show_photo(photo);
CREATE FUNCTION show_photo(it photo)
RETURNS TABLE (
    id uuid, product_id bigint, size bigint, media_type text, upload text, sha256 text
)
LANGUAGE sql VOLATILE AS $$
    SELECT it.id, it.product_id, it.size, it.media_type, it.upload, it.sha256
$$;

CREATE OR REPLACE FUNCTION add_photo(
    the_photo uuid, the_product bigint, the_caller uuid, is_admin boolean, bytes bigint, the_type text
) RETURNS TABLE (outcome text, subject photo)
LANGUAGE plpgsql AS $$
DECLARE
    p product;
    added photo;
    refusal text;
BEGIN
    -- Uploads of one product queue here, so that they are counted.
    SELECT * INTO p FROM product WHERE id = the_product AND deleted_at IS NULL FOR NO KEY UPDATE;
    refusal := CASE
        WHEN p.id IS NULL THEN 'unknown_product'
        WHEN NOT may(p.shop_id, the_caller, is_admin, 'edit_menu') THEN 'forbidden'
        WHEN (SELECT count(*) FROM photo WHERE photo.product_id = the_product AND dropped_at IS NULL) >= 10
            THEN 'too_many_photos'
    END;
    IF refusal IS NOT NULL THEN
        RETURN QUERY SELECT refusal, NULL::photo;
        RETURN;
    END IF;
    INSERT INTO photo (id, product_id, author, size, media_type)
    VALUES (the_photo, the_product, the_caller, bytes, the_type)
    RETURNING * INTO added;
    RETURN QUERY SELECT 'created', added;
END
$$;

-- A photo that the caller may complete or take away.
CREATE OR REPLACE FUNCTION edit_photo(the_product bigint, the_photo uuid, the_caller uuid, is_admin boolean)
RETURNS TABLE (outcome text, subject photo)
LANGUAGE plpgsql AS $$
DECLARE
    p product;
    found_photo photo;
    refusal text;
BEGIN
    SELECT * INTO p FROM product WHERE id = the_product AND deleted_at IS NULL;
    SELECT * INTO found_photo FROM photo
    WHERE photo.id = the_photo AND photo.product_id = the_product AND dropped_at IS NULL;
    refusal := CASE
        WHEN p.id IS NULL THEN 'unknown_product'
        WHEN NOT may(p.shop_id, the_caller, is_admin, 'edit_menu') THEN 'forbidden'
        WHEN found_photo.id IS NULL THEN 'unknown_photo'
    END;
    RETURN QUERY SELECT coalesce(refusal, 'listed'), CASE WHEN refusal IS NULL THEN found_photo END;
END
$$;

-- Sets the photos of a product, in this order. The column `photo` has the first one.
CREATE OR REPLACE FUNCTION set_photos(the_product bigint, paths text[]) RETURNS product
LANGUAGE plpgsql AS $$
DECLARE
    p product;
BEGIN
    UPDATE product SET photos = paths, photo = paths[1] WHERE id = the_product RETURNING * INTO p;
    RETURN p;
END
$$;

CREATE OR REPLACE FUNCTION path_of(the_product bigint, the_photo uuid) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT format('/products/%s/photos/%s', the_product, the_photo)
$$;

-- Completes a photo whose bytes are there: its product shows it after the others from now on.
CREATE OR REPLACE FUNCTION complete_photo(the_photo uuid, digest text) RETURNS TABLE (outcome text, subject product)
LANGUAGE plpgsql AS $$
DECLARE
    p product;
BEGIN
    SELECT product.* INTO p FROM product JOIN photo ON photo.product_id = product.id
    WHERE photo.id = the_photo AND product.deleted_at IS NULL
    FOR NO KEY UPDATE OF product;
    IF p.id IS NULL OR NOT EXISTS (SELECT FROM photo WHERE photo.id = the_photo AND dropped_at IS NULL) THEN
        RETURN QUERY SELECT 'unknown_photo', NULL::product;
        RETURN;
    END IF;
    UPDATE photo SET sha256 = digest, upload = NULL WHERE photo.id = the_photo AND sha256 IS NULL;
    IF FOUND THEN
        p := set_photos(p.id, p.photos || path_of(p.id, the_photo));
    END IF;
    RETURN QUERY SELECT 'changed', p;
END
$$;

-- Shows the photos of a product in another order. `wanted` has to name each of them once.
CREATE OR REPLACE FUNCTION order_photos(the_product bigint, the_caller uuid, is_admin boolean, wanted text[])
RETURNS TABLE (outcome text, subject product)
LANGUAGE plpgsql AS $$
DECLARE
    p product;
    paths text[] := ARRAY(
        SELECT path_of(the_product, named::uuid) FROM unnest(wanted) WITH ORDINALITY AS w (named, place) ORDER BY place
    );
    refusal text;
BEGIN
    SELECT * INTO p FROM product WHERE id = the_product AND deleted_at IS NULL FOR NO KEY UPDATE;
    refusal := CASE
        WHEN p.id IS NULL THEN 'unknown_product'
        WHEN NOT may(p.shop_id, the_caller, is_admin, 'edit_menu') THEN 'forbidden'
        WHEN cardinality(paths) <> cardinality(p.photos) OR NOT paths @> p.photos THEN 'other_photos'
    END;
    IF refusal IS NOT NULL THEN
        RETURN QUERY SELECT refusal, NULL::product;
        RETURN;
    END IF;
    RETURN QUERY SELECT 'changed', set_photos(the_product, paths);
END
$$;

-- Removes a photo from its product, or gives up an upload that is not complete.
CREATE OR REPLACE FUNCTION drop_photo(the_product bigint, the_photo uuid, the_caller uuid, is_admin boolean)
RETURNS TABLE (outcome text, subject product)
LANGUAGE plpgsql AS $$
DECLARE
    p product;
    refusal text;
BEGIN
    SELECT * INTO p FROM product WHERE id = the_product FOR NO KEY UPDATE;
    SELECT edited.outcome INTO refusal FROM edit_photo(the_product, the_photo, the_caller, is_admin) AS edited;
    IF refusal <> 'listed' THEN
        RETURN QUERY SELECT refusal, NULL::product;
        RETURN;
    END IF;
    UPDATE photo SET dropped_at = now() WHERE photo.id = the_photo;
    RETURN QUERY SELECT 'changed', set_photos(the_product, array_remove(p.photos, path_of(the_product, the_photo)));
END
$$;
