-- New names would wait in a list of up to 4 MB, which each search by name reads from beginning to end. Places are searched
-- far more often than they are made, so their names go into the index at once.
ALTER INDEX place_by_name SET (fastupdate = off);
SELECT gin_clean_pending_list('place_by_name');
