//! Powers of decimals, exact for whole exponents and otherwise to 20 digits. Floats would differ between machines.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use rust_decimal_macros::dec;

const LN_2: Decimal = dec!(0.6931471805599453094172321215);
const HALF: Decimal = dec!(0.5);
const TWO: Decimal = Decimal::TWO;
/// Terms of a series: both converge by a factor of four or more a term, and a decimal has 28 digits.
const MAX_TERMS: u32 = 60;

/// `base` to the power of `exponent`, both at least 0; 1 for an exponent of 0. `None` when it is too large for a price.
pub fn power(base: Decimal, exponent: Decimal) -> Option<Decimal> {
    if exponent.is_zero() {
        return Some(Decimal::ONE);
    }
    if base.is_zero() {
        return Some(Decimal::ZERO);
    }
    if exponent.fract().is_zero() {
        let mut result = Decimal::ONE;
        for _ in 0..exponent.to_u32()? {
            result = result.checked_mul(base)?;
        }
        return Some(result);
    }
    exp(ln(base)?.checked_mul(exponent)?)
}

/// Halves or doubles until 2/3 ≤ x < 4/3, then 2·artanh((x-1)/(x+1)).
fn ln(x: Decimal) -> Option<Decimal> {
    let (mut x, mut twos) = (x, Decimal::ZERO);
    while x >= dec!(1.3333333333) {
        x = x.checked_mul(HALF)?;
        twos += Decimal::ONE;
    }
    while x < dec!(0.6666666666) {
        x = x.checked_mul(TWO)?;
        twos -= Decimal::ONE;
    }
    let y = (x - Decimal::ONE).checked_div(x + Decimal::ONE)?;
    let square = y * y;
    let (mut term, mut sum) = (y, y);
    for at in 1..MAX_TERMS {
        term *= square;
        if term.is_zero() {
            break;
        }
        sum += term / Decimal::from(2 * at + 1);
    }
    sum.checked_mul(TWO)?.checked_add(twos.checked_mul(LN_2)?)
}

/// The whole multiples of ln 2 are powers of two; the rest is below 0.35.
fn exp(x: Decimal) -> Option<Decimal> {
    let twos = (x / LN_2).round();
    let rest = x - twos * LN_2;
    let (mut term, mut sum) = (Decimal::ONE, Decimal::ONE);
    for at in 1..MAX_TERMS {
        term = term * rest / Decimal::from(at);
        if term.is_zero() {
            break;
        }
        sum += term;
    }
    let twos = twos.to_i32()?;
    for _ in 0..twos.unsigned_abs() {
        sum = sum.checked_mul(if twos > 0 { TWO } else { HALF })?;
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn powers_are_those_of_a_table() {
        for (base, exponent, expected) in [
            (dec!(2), dec!(0.5), dec!(1.41421356237309504880)),
            (dec!(10), dec!(1.5), dec!(31.6227766016837933199)),
            (dec!(0.25), dec!(0.5), dec!(0.5)),
            (dec!(7.5), dec!(0.7), dec!(4.097725707758709)),
            (dec!(1000000), dec!(1.1), dec!(3981071.70553497250770)),
            (dec!(0), dec!(0.7), dec!(0)),
            (dec!(0), dec!(0), dec!(1)),
            (dec!(123), dec!(0), dec!(1)),
            (dec!(1.5), dec!(3), dec!(3.375)),
        ] {
            let found = power(base, exponent).unwrap();
            let error = (found - expected).abs();
            assert!(error < dec!(0.00000001), "{base}^{exponent} = {found}");
        }
    }

    #[test]
    fn a_power_too_large_for_a_price_is_none() {
        assert_eq!(power(dec!(1000000), dec!(9)), None);
        assert_eq!(power(dec!(1000000), dec!(9.5)), None);
    }

    proptest! {
        /// x^a · x^b = x^(a+b), to a ten-thousandth of a cent and better.
        #[test]
        fn exponents_add_up(base in 1..5_000_i64, a in 1..300_i64, b in 1..300_i64) {
            let base = Decimal::new(base, 2);
            let (a, b) = (Decimal::new(a, 2), Decimal::new(b, 2));
            let split = power(base, a).unwrap() * power(base, b).unwrap();
            let whole = power(base, a + b).unwrap();
            prop_assert!((split - whole).abs() <= whole * dec!(0.0000000000000000001) + dec!(0.00000000000000000001));
        }

        #[test]
        fn a_longer_stay_never_has_a_smaller_power(base in 1..100_000_i64, step in 1..100_i64, exponent in 1..500_i64) {
            let exponent = Decimal::new(exponent, 2);
            let short = power(Decimal::new(base, 3), exponent).unwrap();
            let long = power(Decimal::new(base + step, 3), exponent).unwrap();
            prop_assert!(short <= long);
        }
    }
}
