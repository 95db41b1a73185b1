//! A zip archive of one stored file. A `.mrpack` whose files are downloaded needs no more.

/// The archive, the same for the same content.
pub fn of_one(name: &str, content: &[u8]) -> Vec<u8> {
    let checksum = crc32(content);
    // The content was made in memory, so it is far smaller than 4 GiB.
    let size = u32::try_from(content.len()).unwrap_or(u32::MAX);
    let name_length = u16::try_from(name.len()).unwrap_or(u16::MAX);
    let mut common = Vec::new();
    // Version 2.0, names in UTF-8, stored, 1980-01-01 00:00.
    for field in [20_u16, 0x0800, 0, 0, 0x0021] {
        common.extend(field.to_le_bytes());
    }
    for field in [checksum, size, size] {
        common.extend(field.to_le_bytes());
    }
    common.extend(name_length.to_le_bytes());
    common.extend(0_u16.to_le_bytes());

    let mut archive = Vec::with_capacity(content.len() + 2 * name.len() + 128);
    archive.extend(b"PK\x03\x04");
    archive.extend(&common);
    archive.extend(name.as_bytes());
    archive.extend(content);

    let directory = u32::try_from(archive.len()).unwrap_or(u32::MAX);
    archive.extend(b"PK\x01\x02");
    archive.extend(20_u16.to_le_bytes());
    archive.extend(&common);
    // No comment, first disk, no attributes, at the beginning.
    archive.extend([0; 14]);
    archive.extend(name.as_bytes());

    let directory_size = u32::try_from(archive.len())
        .unwrap_or(u32::MAX)
        .saturating_sub(directory);
    archive.extend(b"PK\x05\x06");
    archive.extend([0; 4]);
    archive.extend(1_u16.to_le_bytes());
    archive.extend(1_u16.to_le_bytes());
    archive.extend(directory_size.to_le_bytes());
    archive.extend(directory.to_le_bytes());
    archive.extend(0_u16.to_le_bytes());
    archive
}

/// CRC-32 as zip has it.
fn crc32(content: &[u8]) -> u32 {
    let mut remainder = u32::MAX;
    for byte in content {
        remainder ^= u32::from(*byte);
        for _ in 0..8 {
            let is_odd = remainder & 1 == 1;
            remainder = (remainder >> 1) ^ if is_odd { 0xedb8_8320 } else { 0 };
        }
    }
    !remainder
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_matches_that_of_zip() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32(b""), 0);
    }

    #[test]
    fn an_archive_has_its_parts_where_it_says() {
        let archive = of_one("a.json", b"{}");
        assert!(archive.starts_with(b"PK\x03\x04"));
        assert_eq!(&archive[30..36], b"a.json");
        assert_eq!(&archive[36..38], b"{}");
        let end = &archive[archive.len() - 22..];
        assert!(end.starts_with(b"PK\x05\x06"));
        let directory = u32::from_le_bytes([end[16], end[17], end[18], end[19]]) as usize;
        assert_eq!(&archive[directory..directory + 4], b"PK\x01\x02");
        assert_eq!(&archive[directory + 46..directory + 52], b"a.json");
    }
}
