//! The digests of a file, computed piece by piece, with a state that can be stored and resumed. No I/O in this file.

use std::fmt::Write;

use sha1::Sha1;
use sha2::digest::common::hazmat::{SerializableState, SerializedState};
use sha2::{Digest, Sha256, Sha512};

/// All digests of a content.
#[derive(Debug, PartialEq, Eq)]
pub struct Known {
    pub sha1: String,
    pub sha256: String,
    pub sha512: String,
    pub murmur2: u32,
}

/// Reads a content from its first byte to its last. CurseForge's fingerprint begins with the number of bytes that are
/// no white space, so a content is read twice; a small one is remembered instead.
#[derive(Clone)]
pub struct Reader {
    sha1: Sha1,
    sha256: Sha256,
    sha512: Sha512,
    /// Bytes that are no white space.
    dense: u64,
    /// The bytes that are no white space, of a small content in its first reading.
    remembered: Option<Vec<u8>>,
    /// Set in the second reading.
    murmur2: Option<Murmur2>,
}

/// A content of this size is remembered: an instance has room for it beside everything else.
pub const REMEMBERED: u64 = 16 << 20;

impl Reader {
    /// For a content of `size` bytes.
    pub fn new(size: u64) -> Self {
        Self {
            sha1: Sha1::new(),
            sha256: Sha256::new(),
            sha512: Sha512::new(),
            dense: 0,
            remembered: (size <= REMEMBERED).then(Vec::new),
            murmur2: None,
        }
    }

    /// The next piece of the first reading.
    pub fn read(&mut self, bytes: &[u8]) {
        self.sha1.update(bytes);
        self.sha256.update(bytes);
        self.sha512.update(bytes);
        if let Some(remembered) = &mut self.remembered {
            remembered.extend(bytes.iter().filter(|it| !is_blank(**it)));
        } else {
            let dense = bytes.iter().filter(|it| !is_blank(**it)).count();
            self.dense += u64::try_from(dense).unwrap_or(u64::MAX);
        }
    }

    /// Ends the first reading. Whether there has to be a second one.
    pub fn begin_again(&mut self) -> bool {
        match self.remembered.take() {
            Some(remembered) => {
                let mut murmur2 = Murmur2::new(u64::try_from(remembered.len()).unwrap_or(u64::MAX));
                murmur2.read(&remembered);
                self.murmur2 = Some(murmur2);
                false
            }
            None => {
                self.murmur2 = Some(Murmur2::new(self.dense));
                true
            }
        }
    }

    /// The next piece of the second reading.
    pub fn read_again(&mut self, bytes: &[u8]) {
        if let Some(murmur2) = &mut self.murmur2 {
            murmur2.read(bytes);
        }
    }

    pub fn finish(self) -> Known {
        Known {
            sha1: hex(&self.sha1.finalize()),
            sha256: hex(&self.sha256.finalize()),
            sha512: hex(&self.sha512.finalize()),
            murmur2: self.murmur2.map_or(0, Murmur2::finish),
        }
    }

    /// The state, for [`Reader::take_up`]; none for a small content, which is read anew.
    pub fn put_down(&self) -> Option<Vec<u8>> {
        if self.remembered.is_some() {
            return None;
        }
        let mut state = vec![STATE];
        state.extend(self.sha1.serialize());
        state.extend(self.sha256.serialize());
        state.extend(self.sha512.serialize());
        state.extend(self.dense.to_le_bytes());
        if let Some(Murmur2 { hash, pending }) = &self.murmur2 {
            state.extend(hash.to_le_bytes());
            state.extend(pending);
        }
        Some(state)
    }

    /// The reader that was put down; none when the state is another release's.
    pub fn take_up(state: &[u8]) -> Option<Self> {
        let (tag, state) = state.split_first()?;
        let (sha1, state) = restore::<Sha1>(state)?;
        let (sha256, state) = restore::<Sha256>(state)?;
        let (sha512, state) = restore::<Sha512>(state)?;
        let (dense, state) = state.split_first_chunk()?;
        let murmur2 = state.split_first_chunk().map(|(hash, pending)| Murmur2 {
            hash: u32::from_le_bytes(*hash),
            pending: pending.to_vec(),
        });
        (*tag == STATE).then_some(Self {
            sha1,
            sha256,
            sha512,
            dense: u64::from_le_bytes(*dense),
            remembered: None,
            murmur2,
        })
    }
}

/// The form of a state that was put down.
const STATE: u8 = 1;

fn restore<D: SerializableState>(state: &[u8]) -> Option<(D, &[u8])> {
    let length = SerializedState::<D>::default().len();
    let (own, rest) = state.split_at_checked(length)?;
    let own = SerializedState::<D>::try_from(own).ok()?;
    Some((D::deserialize(&own).ok()?, rest))
}

/// Bytes that CurseForge leaves out of its fingerprint.
fn is_blank(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\r' | b' ')
}

/// MurmurHash2 of 32 bits with seed 1, over everything but white space.
#[derive(Clone, Debug)]
struct Murmur2 {
    hash: u32,
    /// Up to three bytes that are no word yet.
    pending: Vec<u8>,
}

const MULTIPLIER: u32 = 0x5bd1_e995;

impl Murmur2 {
    /// Of `length` bytes; CurseForge counts them in 32 bits.
    fn new(length: u64) -> Self {
        let length = u32::try_from(length & u64::from(u32::MAX)).unwrap_or_default();
        Self {
            hash: 1 ^ length,
            pending: Vec::with_capacity(4),
        }
    }

    fn read(&mut self, bytes: &[u8]) {
        for byte in bytes.iter().filter(|it| !is_blank(**it)) {
            self.pending.push(*byte);
            if let [a, b, c, d] = *self.pending.as_slice() {
                let word = u32::from_le_bytes([a, b, c, d]).wrapping_mul(MULTIPLIER);
                let word = (word ^ (word >> 24)).wrapping_mul(MULTIPLIER);
                self.hash = self.hash.wrapping_mul(MULTIPLIER) ^ word;
                self.pending.clear();
            }
        }
    }

    fn finish(self) -> u32 {
        let mut hash = self.hash;
        if !self.pending.is_empty() {
            for (byte, shift) in self.pending.iter().zip([0, 8, 16]) {
                hash ^= u32::from(*byte) << shift;
            }
            hash = hash.wrapping_mul(MULTIPLIER);
        }
        hash = (hash ^ (hash >> 13)).wrapping_mul(MULTIPLIER);
        hash ^ (hash >> 15)
    }
}

pub fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

pub fn hex_sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn known(content: &[u8]) -> Known {
        let mut reader = Reader::new(content.len() as u64);
        reader.read(content);
        assert!(!reader.begin_again());
        reader.finish()
    }

    /// Reads as for a content too large to be remembered: in pieces, with the state stored and resumed between them.
    fn in_pieces(content: &[u8], length: usize) -> Known {
        let again = |it: &Reader| Reader::take_up(&it.put_down().unwrap()).unwrap();
        let mut reader = Reader::new(REMEMBERED + 1);
        for piece in content.chunks(length) {
            reader.read(piece);
            reader = again(&reader);
        }
        assert!(reader.begin_again());
        for piece in content.chunks(length) {
            reader.read_again(piece);
            reader = again(&reader);
        }
        reader.finish()
    }

    #[test]
    fn digests_match_known_values() {
        let known = known(b"abc");
        assert_eq!(known.sha1, "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert_eq!(
            known.sha256,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert!(known.sha512.starts_with("ddaf35a193617abacc417349ae204131"));
    }

    #[test]
    fn white_space_does_not_change_a_fingerprint() {
        assert_eq!(known(b"a b\tc\r\nd").murmur2, known(b"abcd").murmur2);
        assert_ne!(known(b"abcd").murmur2, known(b"abce").murmur2);
        // MurmurHash2 with seed 1, as its author's code computes it.
        assert_eq!(known(b"").murmur2, 0x5bd1_5e36);
    }

    #[test]
    fn a_state_of_another_release_is_not_taken_up() {
        let mut state = Reader::new(REMEMBERED + 1).put_down().unwrap();
        assert!(Reader::take_up(&state).is_some());
        state[0] += 1;
        assert!(Reader::take_up(&state).is_none());
        assert!(Reader::take_up(&state[..20]).is_none());
        assert!(Reader::take_up(&[]).is_none());
    }

    proptest! {
        #[test]
        fn how_a_content_is_cut_into_pieces_does_not_matter(
            content in proptest::collection::vec(any::<u8>(), 1..600), length in 1usize..200
        ) {
            prop_assert_eq!(in_pieces(&content, length), known(&content));
        }
    }
}
