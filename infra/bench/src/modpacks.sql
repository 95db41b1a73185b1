SET search_path = modpacks;
-- Modpacks: 64 packs of 20 versions each, whose first versions share 10 000 files.

INSERT INTO modpacks.pack (id, owner, name, description, authors, visibility)
SELECT number, gen_random_uuid(), 'Pack ' || number, 'A pack to be measured', '{Bench}', 'public'
FROM generate_series(1, 64) AS number;

INSERT INTO modpacks.version (pack_id, name, channel, mc_version, loader, loader_version, changelog)
SELECT pack, 'Version ' || number, 'release', '1.20.1', 'fabric', '0.15.11', repeat('Something has changed. ', 20)
FROM generate_series(1, 20) AS number, generate_series(1, 64) AS pack;

INSERT INTO modpacks.blob (id, size, sha1, sha256, sha512, murmur2)
SELECT gen_random_uuid(), 1000 + number, left(hash, 40), hash, hash || hash, number
FROM generate_series(1, 10000) AS number, encode(sha256(('blob ' || number)::bytea), 'hex') AS hash;

INSERT INTO modpacks.file (
    pack_id, version_id, owner, path, original_name, size, status, blob_id, side, is_optional, is_kept
)
SELECT first.pack_id, first.id, pack.owner, 'mods/' || blob.murmur2 || '.jar', blob.murmur2 || '.jar', blob.size, 'ready', blob.id,
    'both', false, false
FROM modpacks.blob
JOIN modpacks.pack ON pack.id = 1 + blob.murmur2 % 64
JOIN modpacks.version AS first ON first.pack_id = pack.id AND first.name = 'Version 1';

UPDATE modpacks.version SET status = 'published', published_at = now();
ANALYZE modpacks.pack, modpacks.version, modpacks.blob, modpacks.file;
