//! Photos to upload.

/// A JPEG of one grey pixel (ITU T.81): tables, a frame, a scan. After its start a comment can stand.
const PIXEL: [&[u8]; 6] = [
    b"\xff\xdb\0\x43\0",
    &[1; 64],
    b"\xff\xc0\0\x0b\x08\0\x01\0\x01\x01\x01\x11\0",
    b"\xff\xc4\0\x14\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
    b"\xff\xc4\0\x14\x10\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
    b"\xff\xda\0\x08\x01\x01\0\0\x3f\0\x3f\xff\xd9",
];

/// The bytes of a photo with this text in them, which tells it from others.
pub fn photo(text: &str) -> Vec<u8> {
    let length = u16::try_from(text.len() + 2).expect("a comment has up to 65533 bytes");
    let comment = [
        b"\xff\xd8\xff\xfe".as_slice(),
        &length.to_be_bytes(),
        text.as_bytes(),
    ]
    .concat();
    [comment, PIXEL.concat()].concat()
}
