//! QR codes as PNG and as SVG. No I/O in this file.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fast_qr::convert::Builder;
use fast_qr::convert::svg::SvgBuilder;
use fast_qr::{ECL, QRBuilder, QRCode};

/// Pixels per module: large enough to scan from a screen across a counter.
const SCALE: usize = 8;
/// The standard asks for four modules of white around the code.
const QUIET: usize = 4;

#[derive(Debug, thiserror::Error)]
pub enum QrError {
    #[error("too long for a QR code")]
    TooLong,
}

fn code(text: &str) -> Result<QRCode, QrError> {
    QRBuilder::new(text)
        .ecl(ECL::M)
        .build()
        .map_err(|_| QrError::TooLong)
}

pub fn svg(text: &str) -> Result<String, QrError> {
    Ok(SvgBuilder::default().margin(QUIET).to_str(&code(text)?))
}

/// The PNG in base64, as the answers carry it in `qr_code`.
pub fn png_base64(text: &str) -> Result<String, QrError> {
    Ok(STANDARD.encode(png(text)?))
}

/// One bit per pixel, black on white.
pub fn png(text: &str) -> Result<Vec<u8>, QrError> {
    let code = code(text)?;
    let modules = code.size.saturating_add(QUIET * 2);
    let is_dark = |row: usize, column: usize| {
        let at = |it: usize| it.checked_sub(QUIET).filter(|it| *it < code.size);
        match (at(row), at(column)) {
            (Some(row), Some(column)) => code
                .data
                .get(row * code.size + column)
                .is_some_and(|it| it.value()),
            _ => false,
        }
    };
    let mut pixels = Vec::new();
    for row in 0..modules {
        // A module is `SCALE` = 8 pixels wide: one byte. It is as many lines high.
        let mut line = vec![0; 1];
        line.extend((0..modules).map(|column| if is_dark(row, column) { 0x00 } else { 0xff }));
        for _ in 0..SCALE {
            pixels.extend_from_slice(&line);
        }
    }
    let side = u32::try_from(modules * SCALE).map_err(|_| QrError::TooLong)?;
    let mut header = Vec::new();
    header.extend(side.to_be_bytes());
    header.extend(side.to_be_bytes());
    // Bit depth 1, greyscale, and the only compression, filter and interlace methods there are.
    header.extend([1, 0, 0, 0, 0]);
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    chunk(&mut file, b"IHDR", &header)?;
    chunk(
        &mut file,
        b"IDAT",
        &miniz_oxide::deflate::compress_to_vec_zlib(&pixels, 6),
    )?;
    chunk(&mut file, b"IEND", &[])?;
    Ok(file)
}

fn chunk(file: &mut Vec<u8>, name: &[u8; 4], data: &[u8]) -> Result<(), QrError> {
    let length = u32::try_from(data.len()).map_err(|_| QrError::TooLong)?;
    let mut checksum = crc32fast::Hasher::new();
    checksum.update(name);
    checksum.update(data);
    file.extend(length.to_be_bytes());
    file.extend(name);
    file.extend(data);
    file.extend(checksum.finalize().to_be_bytes());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_png_holds_every_module_of_the_code() {
        let text = "https://pay.example/0199f0a0-0000-7000-8000-000000000001";
        let png = png(text).unwrap();
        let side = u32::from_be_bytes(png[16..20].try_into().unwrap()) as usize;
        assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
        let length = u32::from_be_bytes(png[33..37].try_into().unwrap()) as usize;
        let pixels = miniz_oxide::inflate::decompress_to_vec_zlib(&png[41..41 + length]).unwrap();
        let line = side / 8 + 1;
        assert_eq!(pixels.len(), side * line);
        let code = code(text).unwrap();
        for row in 0..code.size {
            for column in 0..code.size {
                let byte = pixels[(row + QUIET) * SCALE * line + 1 + column + QUIET];
                let dark = code.data[row * code.size + column].value();
                assert_eq!(byte == 0, dark, "{row} {column}");
            }
        }
    }

    #[test]
    fn a_text_that_is_too_long_is_refused() {
        assert!(png(&"x".repeat(5000)).is_err());
        assert!(svg("short").unwrap().starts_with("<svg"));
    }
}
