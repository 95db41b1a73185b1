SELECT i.id, i.pack_id, i.file_id, i.request, i.version_name, i.channel, i.attempts, i.fence, pack.owner
FROM claim_import('15 seconds') AS i
JOIN pack ON pack.id = i.pack_id
