//! Valid archives, and archives of an attacker.

use miniz_oxide::deflate::compress_to_vec;
use proptest::prelude::*;

use super::*;

/// An archive as a zip tool writes it, with one lie.
#[derive(Clone, Default)]
pub struct Lie {
    pub attributes: u32,
    pub size: Option<u32>,
    pub checksum: Option<u32>,
    pub flags: u16,
    /// Every entry is where the first one is.
    pub overlap: bool,
}

pub fn archive(files: &[(&str, &[u8])], lie: &Lie) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in files {
        let packed = compress_to_vec(content, 6);
        let at = if lie.overlap { 0 } else { bytes.len() };
        let checksum = lie.checksum.unwrap_or(crc32fast::hash(content));
        let size = lie.size.unwrap_or(u32::try_from(content.len()).unwrap());
        let mut common = Vec::new();
        for field in [20, lie.flags, 8, 0, 0x21] {
            common.extend(field.to_le_bytes());
        }
        for field in [checksum, u32::try_from(packed.len()).unwrap(), size] {
            common.extend(field.to_le_bytes());
        }
        common.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
        common.extend([0, 0]);
        bytes.extend(b"PK\x03\x04");
        bytes.extend(&common);
        bytes.extend(name.as_bytes());
        bytes.extend(&packed);
        directory.extend(b"PK\x01\x02\x14\x03");
        directory.extend(&common);
        directory.extend([0; 6]);
        directory.extend(lie.attributes.to_le_bytes());
        directory.extend(u32::try_from(at).unwrap().to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let at = bytes.len();
    bytes.extend(&directory);
    bytes.extend(b"PK\x05\x06\0\0\0\0");
    let count = u16::try_from(files.len()).unwrap().to_le_bytes();
    bytes.extend(count);
    bytes.extend(count);
    bytes.extend(u32::try_from(directory.len()).unwrap().to_le_bytes());
    bytes.extend(u32::try_from(at).unwrap().to_le_bytes());
    bytes.extend([0, 0]);
    bytes
}

fn open(bytes: &[u8]) -> Result<Vec<Entry>, Rejected> {
    let directory = find_directory(bytes, bytes.len() as u64)?;
    let at = usize::try_from(directory.at).unwrap();
    entries(&bytes[at..], &directory)
}

fn unpack(bytes: &[u8], entry: &Entry, step: usize) -> Result<Vec<u8>, Rejected> {
    let at = usize::try_from(entry.at).unwrap();
    let start = at + usize::try_from(local_header(&bytes[at..])?).unwrap();
    let packed = &bytes[start..start + usize::try_from(entry.packed).unwrap()];
    let (mut unpacking, mut out) = (Unpacking::new(entry), Vec::new());
    for mut piece in packed.chunks(step) {
        let mut before = out.len();
        while unpacking.take(&mut piece, &mut out)? {
            assert!(out.len() - before <= 64 << 10);
            before = out.len();
        }
    }
    unpacking.finish()?;
    Ok(out)
}

#[test]
fn an_entry_is_unpacked_however_its_bytes_come() {
    let large: Vec<u8> = (0..300_000_u32)
        .flat_map(|it| (it / 7).to_le_bytes())
        .collect();
    let bytes = archive(&[("a/b.txt", b"hello"), ("large", &large)], &Lie::default());
    let entries = open(&bytes).unwrap();
    for step in [1, 1_000, usize::MAX] {
        assert_eq!(unpack(&bytes, &entries[0], step).unwrap(), b"hello");
        assert_eq!(unpack(&bytes, &entries[1], step).unwrap(), large);
    }
}

#[test]
fn names_that_leave_the_folder_or_collide_are_refused() {
    for name in ["../a", "/a", "a/../../b", "C:/a", "a\\b", "con", "a\0"] {
        let bytes = archive(&[(name, b"x")], &Lie::default());
        assert!(open(&bytes).unwrap_err().0.contains("not safe"), "{name:?}");
    }
    let bytes = archive(&[("a/B", b"x"), ("A/b", b"y")], &Lie::default());
    let refused = open(&bytes).unwrap_err().0;
    assert_eq!(refused, "\"a/b\" is in it twice, or differs in case only");
}

#[test]
fn symlinks_encryption_and_overlaps_are_refused() {
    let refused = |lie: Lie| {
        let bytes = archive(&[("a", b"x"), ("b", b"y")], &lie);
        open(&bytes).unwrap_err().0
    };
    let attributes = 0o120_777 << 16;
    assert!(
        refused(Lie {
            attributes,
            ..Lie::default()
        })
        .contains("symlink")
    );
    assert!(
        refused(Lie {
            flags: 1,
            ..Lie::default()
        })
        .contains("encrypted")
    );
    assert!(
        refused(Lie {
            overlap: true,
            ..Lie::default()
        })
        .contains("overlap")
    );
    let size = Some(1_500_000_000);
    assert!(
        refused(Lie {
            size,
            ..Lie::default()
        })
        .contains("1 GiB")
    );
    let size = Some(900_000_000);
    assert!(
        refused(Lie {
            size,
            ..Lie::default()
        })
        .contains("far more")
    );
}

#[test]
fn an_entry_that_unpacks_to_something_else_is_refused() {
    let zeros = vec![0; 1 << 20];
    let bomb = archive(
        &[("a", &zeros)],
        &Lie {
            size: Some(1_000),
            ..Lie::default()
        },
    );
    let entries = open(&bomb).unwrap();
    let refused = unpack(&bomb, &entries[0], usize::MAX).unwrap_err();
    assert!(refused.0.contains("more than it says"), "{refused:?}");
    for lie in [
        Lie {
            size: Some(6),
            ..Lie::default()
        },
        Lie {
            checksum: Some(1),
            ..Lie::default()
        },
    ] {
        let bytes = archive(&[("a", b"hello")], &lie);
        let entries = open(&bytes).unwrap();
        let refused = unpack(&bytes, &entries[0], 3).unwrap_err();
        assert!(refused.0.contains("damaged"), "{refused:?}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(
        mut at in proptest::collection::vec((0_usize..400, any::<u8>()), 0..12),
        noise in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let mut bytes = archive(&[("a/b.txt", b"hello hello"), ("c", b"x")], &Lie::default());
        for (at, byte) in at.drain(..) {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        for bytes in [&bytes, &noise] {
            if let Ok(directory) = find_directory(bytes, bytes.len() as u64) {
                let start = usize::try_from(directory.at).unwrap();
                let end = start + usize::try_from(directory.length).unwrap();
                for entry in entries(&bytes[start..end], &directory).unwrap_or_default() {
                    let at = usize::try_from(entry.at).unwrap();
                    let (mut unpacking, mut out) = (Unpacking::new(&entry), Vec::new());
                    let mut packed = bytes.get(at..).unwrap_or_default();
                    while unpacking.take(&mut packed, &mut out).unwrap_or(false) {}
                    prop_assert!(out.len() as u64 <= entry.size);
                }
            }
        }
    }
}
