//! What other functions ask of signin: the interfaces in `wit/signin.wit`.

mod accounts;
mod passcodes;

/// The component, as other components know it.
pub struct Signin;
