-- Lists the latest commission of each owner, that of all owners first, without reading those of other pages.
CREATE INDEX commission_latest ON commission (owner NULLS FIRST, id DESC);
