SELECT id, size, part_size, s3_id, sha1, sha256, sha512, read_to, digests, attempts, fence
FROM claim_upload('15 seconds')
