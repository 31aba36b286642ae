//! How the enumerations of a body's rules get their names: each variant is called as it is written.

/// `fn name` of one enumeration of rules after another, each with all its variants.
macro_rules! names {
    ($($error:ident: $($variant:ident)+;)+) => {$(
        impl $error {
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
