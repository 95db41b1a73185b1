//! Whether bytes are an image from their beginning to its end: JPEG (ITU T.81), PNG or WebP (RFC 9649). The parts of the
//! file are walked from one to the next, and no pixel is decoded. What follows the end is ignored, as viewers do: phones
//! put films and depth maps there.

use super::MediaType;

/// Pixels that a viewer has to have room for: more than cameras of phones make.
const MAX_PIXELS: u64 = 250_000_000;

pub fn is_whole(media_type: MediaType, bytes: &[u8]) -> bool {
    let pixels = match media_type {
        MediaType::Jpeg => pixels_of_jpeg(bytes),
        MediaType::Png => pixels_of_png(bytes),
        MediaType::Webp => pixels_of_webp(bytes),
    };
    pixels.is_some_and(|it| (1..=MAX_PIXELS).contains(&it))
}

/// The next bytes, and those after them.
fn take(bytes: &[u8], count: u64) -> Option<(&[u8], &[u8])> {
    bytes.split_at_checked(usize::try_from(count).ok()?)
}

fn big(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |sum, it| sum << 8 | u64::from(*it))
}

fn little(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .rev()
        .fold(0, |sum, it| sum << 8 | u64::from(*it))
}

/// Segments, each behind a marker; behind a start of scan come pixels, up to the next marker.
fn pixels_of_jpeg(bytes: &[u8]) -> Option<u64> {
    let mut rest = bytes.strip_prefix(b"\xff\xd8")?;
    let mut pixels = None;
    let mut is_scanned = false;
    loop {
        let after = rest.strip_prefix(b"\xff")?;
        // More of it may fill the space before a marker.
        let filled = after.iter().position(|it| *it != 0xff)?;
        let (marker, after) = after.get(filled..)?.split_first()?;
        if *marker == 0xd9 {
            return pixels.filter(|_| is_scanned);
        }
        let (length, after) = take(after, 2)?;
        let (segment, after) = take(after, big(length).checked_sub(2)?)?;
        rest = after;
        match marker {
            // Frames of all kinds; between them stand tables.
            0xc4 | 0xc8 | 0xcc => {}
            0xc0..=0xcf => {
                let [_, a, b, c, d, ..] = segment else {
                    return None;
                };
                pixels = big(&[*a, *b]).checked_mul(big(&[*c, *d]));
            }
            0xda => {
                is_scanned = true;
                rest = after_scan(rest)?;
            }
            _ => {}
        }
    }
}

/// From the first marker on. In pixels 0xff is followed by 0, and restarts stand between them.
fn after_scan(bytes: &[u8]) -> Option<&[u8]> {
    let ends = |pair: &[u8]| matches!(pair, [0xff, it] if !matches!(it, 0 | 0xd0..=0xd7 | 0xff));
    let at = bytes.windows(2).position(ends)?;
    bytes.get(at..)
}

/// Chunks of a length, a kind, their bytes and a checksum.
fn pixels_of_png(bytes: &[u8]) -> Option<u64> {
    let mut rest = bytes.strip_prefix(b"\x89PNG\r\n\x1a\n")?;
    let mut pixels = None;
    let mut has_data = false;
    loop {
        let (length, after) = take(rest, 4)?;
        let (kind, after) = take(after, 4)?;
        let (chunk, after) = take(after, big(length))?;
        let (_checksum, after) = take(after, 4)?;
        rest = after;
        match (kind, pixels) {
            (b"IHDR", None) => {
                let (width, after) = take(chunk, 4)?;
                let (height, _) = take(after, 4)?;
                pixels = big(width).checked_mul(big(height));
            }
            (b"IEND", Some(_)) => return pixels.filter(|_| has_data),
            (_, None) => return None,
            (kind, Some(_)) => has_data |= kind == b"IDAT",
        }
    }
}

/// One RIFF of chunks of a kind, a length, and their bytes in pairs. The first one says how large the image is.
fn pixels_of_webp(bytes: &[u8]) -> Option<u64> {
    let (length, after) = take(bytes.strip_prefix(b"RIFF")?, 4)?;
    let (file, _) = take(after, little(length))?;
    let mut rest = file.strip_prefix(b"WEBP")?;
    let mut pixels = None;
    let mut has_data = false;
    while !rest.is_empty() {
        let (kind, after) = take(rest, 4)?;
        let (length, after) = take(after, 4)?;
        let (chunk, after) = take(after, little(length))?;
        // Some encoders leave the last filler out.
        rest = after.get(chunk.len() % 2..).unwrap_or_default();
        has_data |= matches!(kind, b"VP8 " | b"VP8L" | b"ANMF");
        if pixels.is_none() {
            pixels = Some(pixels_of_webp_chunk(kind, chunk)?);
        }
    }
    pixels.filter(|_| has_data)
}

fn pixels_of_webp_chunk(kind: &[u8], chunk: &[u8]) -> Option<u64> {
    let (width, height) = match (kind, chunk) {
        (b"VP8 ", [_, _, _, 0x9d, 0x01, 0x2a, a, b, c, d, ..]) => {
            (little(&[*a, *b]) & 0x3fff, little(&[*c, *d]) & 0x3fff)
        }
        (b"VP8L", [0x2f, a, b, c, d, ..]) => {
            let sides = little(&[*a, *b, *c, *d]);
            ((sides & 0x3fff) + 1, (sides >> 14 & 0x3fff) + 1)
        }
        (b"VP8X", [_, _, _, _, a, b, c, d, e, f, ..]) => {
            (little(&[*a, *b, *c]) + 1, little(&[*d, *e, *f]) + 1)
        }
        _ => return None,
    };
    width.checked_mul(height)
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    use super::*;

    /// One pixel each, by other programs.
    fn each() -> [(MediaType, Vec<u8>); 4] {
        let read = |text| STANDARD.decode(text).unwrap();
        let jpeg = [
            b"\xff\xd8\xff\xdb\0\x43\0".as_slice(),
            &[1; 64],
            b"\xff\xc0\0\x0b\x08\0\x01\0\x01\x01\x01\x11\0",
            b"\xff\xc4\0\x14\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
            b"\xff\xff\xc4\0\x14\x10\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
            b"\xff\xda\0\x08\x01\x01\0\0\x3f\0\x3f\xff\0\xff\xd0\x3f\xff\xd9",
        ];
        [
            (MediaType::Jpeg, jpeg.concat()),
            (
                MediaType::Png,
                read(
                    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==",
                ),
            ),
            (
                MediaType::Webp,
                read("UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA"),
            ),
            (
                MediaType::Webp,
                read("UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA=="),
            ),
        ]
    }

    #[test]
    fn an_image_is_whole_and_no_beginning_of_it_is() {
        for (media_type, bytes) in each() {
            assert!(is_whole(media_type, &bytes), "{media_type:?}");
            for end in 0..bytes.len() {
                assert!(!is_whole(media_type, &bytes[..end]), "{media_type:?} {end}");
            }
            // A film of the same moment.
            let longer = [bytes.as_slice(), b"ftypmp42"].concat();
            assert!(is_whole(media_type, &longer), "{media_type:?}");
            for (other, _) in each().into_iter().filter(|it| it.0 != media_type) {
                assert!(!is_whole(other, &bytes), "{other:?}");
            }
        }
    }

    #[test]
    fn an_image_without_pixels_or_with_too_many_is_none() {
        for (at, (media_type, bytes)) in each().into_iter().take(2).enumerate() {
            let sides = [76, 16][at];
            let with = |side: &[u8]| {
                let mut bytes = bytes.clone();
                bytes[sides..sides + side.len()].copy_from_slice(side);
                is_whole(media_type, &bytes)
            };
            let width = [2, 4][at];
            assert!(!with(&vec![0; width]), "{media_type:?}");
            assert!(!with(&vec![0xff; 2 * width]), "{media_type:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_to_an_end(
            at in 0_usize..4, bytes in prop::collection::vec(any::<u8>(), 0..200), cut in 0_usize..60,
        ) {
            let (media_type, image) = each().into_iter().nth(at).unwrap();
            let start = image.get(..cut).unwrap_or(&image);
            is_whole(media_type, &[start, &bytes].concat());
        }
    }
}
