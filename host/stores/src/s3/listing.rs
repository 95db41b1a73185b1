//! Lists the objects of a bucket page by page, in the order of their keys. Keys with the same prefix
//! up to a delimiter are listed as one common prefix.

use super::failure::Result;
use super::index::{OBJECTS, decode};
use super::objects::Objects;
use super::records::Object;

/// The largest page in S3, and the default.
pub(crate) const MAX_PAGE: usize = 1000;

#[derive(Debug, Default)]
pub(crate) struct Query {
    pub(crate) bucket: String,
    pub(crate) prefix: String,
    /// Never empty.
    pub(crate) delimiter: Option<String>,
    /// The last key or common prefix of the page before; empty for the first page.
    pub(crate) after: String,
    pub(crate) limit: usize,
}

#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) objects: Vec<(String, Object)>,
    pub(crate) prefixes: Vec<String>,
    /// `after` of the next page, if there is one.
    pub(crate) next_after: Option<String>,
}

impl Page {
    fn len(&self) -> usize {
        self.objects.len() + self.prefixes.len()
    }
}

impl Objects {
    pub(crate) fn list(&self, query: &Query) -> Result<Page> {
        self.require_bucket(&query.bucket)?;
        let mut page = Page::default();
        if query.limit == 0 {
            return Ok(page);
        }
        self.index.read(|transaction| {
            let objects = transaction.open_table(OBJECTS)?;
            let mut last = query.after.clone();
            let mut seek = query.prefix.clone().max(query.after.clone());
            // Seeks past each common prefix instead of reading all its keys.
            'seek: loop {
                for entry in objects.range((&*query.bucket, &*seek)..)? {
                    let (place, object) = entry?;
                    let (bucket, key) = place.value();
                    if bucket != query.bucket || !key.starts_with(&query.prefix) {
                        return Ok(page);
                    }
                    let common_prefix = query.common_prefix_of(key);
                    let name = common_prefix.as_deref().unwrap_or(key);
                    if !last.is_empty() && name <= &*last {
                        // On an earlier page. Skips the other keys of the common prefix.
                        if common_prefix.is_some() && !seek.ends_with(LAST_CHAR) {
                            seek = format!("{name}{LAST_CHAR}");
                            continue 'seek;
                        }
                        continue;
                    }
                    if page.len() == query.limit {
                        page.next_after = Some(last);
                        return Ok(page);
                    }
                    last = name.to_owned();
                    match common_prefix {
                        None => page.objects.push((key.to_owned(), decode(object.value())?)),
                        Some(prefix) => {
                            seek = format!("{prefix}{LAST_CHAR}");
                            page.prefixes.push(prefix);
                            continue 'seek;
                        }
                    }
                }
                return Ok(page);
            }
        })
    }
}

/// After a prefix, sorts behind nearly all keys with that prefix. The few others are read one by one.
const LAST_CHAR: char = '\u{10FFFF}';

impl Query {
    /// The common prefix under which the key is listed, if it contains the delimiter.
    fn common_prefix_of(&self, key: &str) -> Option<String> {
        let delimiter = self.delimiter.as_deref()?;
        let rest = key.strip_prefix(&self.prefix)?;
        let (group, _) = rest.split_once(delimiter)?;
        Some(format!("{}{group}{delimiter}", self.prefix))
    }
}

#[cfg(test)]
mod tests {
    use super::super::digests::Claims;
    use super::super::objects::Conditions;
    use super::super::records::Attributes;
    use super::*;

    async fn bucket_with(keys: &[&str]) -> (tempfile::TempDir, Objects) {
        let folder = tempfile::tempdir().unwrap();
        let objects = Objects::open(folder.path(), false).unwrap();
        for bucket in ["aaa", "bbb", "ccc"] {
            objects.create_bucket(bucket.to_owned()).await.unwrap();
        }
        for (bucket, key) in [("aaa", "z"), ("ccc", "a")]
            .into_iter()
            .chain(keys.iter().map(|key| ("bbb", *key)))
        {
            let (claims, conditions) = (Claims::default(), Conditions::default());
            let put = objects.put(
                bucket.to_owned(),
                key.to_owned(),
                None,
                claims,
                Attributes::default(),
                conditions,
            );
            put.await.unwrap();
        }
        (folder, objects)
    }

    /// Keys and common prefixes of all pages of this size.
    fn list_all(
        objects: &Objects,
        prefix: &str,
        delimiter: Option<&str>,
        limit: usize,
    ) -> (Vec<String>, Vec<String>) {
        let mut query = Query {
            bucket: "bbb".to_owned(),
            prefix: prefix.to_owned(),
            delimiter: delimiter.map(str::to_owned),
            after: String::new(),
            limit,
        };
        let (mut keys, mut prefixes) = (Vec::new(), Vec::new());
        loop {
            let page = objects.list(&query).unwrap();
            assert!(page.len() <= limit);
            keys.extend(page.objects.into_iter().map(|(key, _)| key));
            prefixes.extend(page.prefixes);
            match page.next_after {
                Some(after) => query.after = after,
                None => return (keys, prefixes),
            }
        }
    }

    #[tokio::test]
    async fn pages_of_any_size_have_the_same_entries_in_total() {
        let keys = [
            "a/1",
            "a/2",
            "a/\u{10FFFF}x",
            "b",
            "b/1",
            "c/1",
            "c/2/3",
            "d",
            "é",
        ];
        let (_folder, objects) = bucket_with(&keys).await;
        for limit in [1, 2, 3, 100] {
            assert_eq!(list_all(&objects, "", None, limit).0, keys);
            let (plain_keys, prefixes) = list_all(&objects, "", Some("/"), limit);
            assert_eq!(plain_keys, ["b", "d", "é"], "{limit}");
            assert_eq!(prefixes, ["a/", "b/", "c/"], "{limit}");
            let (plain_keys, prefixes) = list_all(&objects, "c/", Some("/"), limit);
            assert_eq!(
                (plain_keys, prefixes),
                (vec!["c/1".to_owned()], vec!["c/2/".to_owned()]),
                "{limit}"
            );
        }
    }
}
