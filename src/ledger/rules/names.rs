//! How the enumerations of a body's rules get their names: each variant is called as it is written.
//! A variant that is not listed does not compile, so that [`NAMES`](super::access::AttestError::NAMES) and
//! its like are complete.

/// `NAMES` and `fn name` of one enumeration of rules after another, each with all its variants.
macro_rules! names {
    ($($error:ident: $($variant:ident)+;)+) => {$(
        impl $error {
            /// Every name in the order of the checks.
            pub const NAMES: &'static [&'static str] = &[$(stringify!($variant)),+];

            /// The name in the transaction table.
            #[must_use]
            pub const fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant { .. } => stringify!($variant),)+
                }
            }
        }
    )+};
}
pub(super) use names;
