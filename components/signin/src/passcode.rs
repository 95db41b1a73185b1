//! Passcodes: six digits that a zone admin reads out at a kiosk.

use uuid::Uuid;

/// How long one is valid: the time to walk to the kiosk and set it up.
pub const SECONDS: i64 = 15 * 60;

/// Six decimal digits, each as likely as any other.
pub fn draw() -> String {
    // 2^122 values are so many more than a million that the remainder has no visible bias.
    format!("{:06}", Uuid::new_v4().as_u128() % 1_000_000)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_passcode_is_six_digits() {
        let code = super::draw();
        assert!(code.len() == 6 && code.bytes().all(|it| it.is_ascii_digit()));
    }
}
