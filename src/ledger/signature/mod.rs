//! Ed25519 keys and signatures as transactions carry them: what a key field may hold, and when a
//! signature is valid (ZIP-215). It does not know what is signed, nor how keys are kept.
//!
//! Two rules, on purpose apart. A **key field** holds a canonical encoding of a curve point that is not
//! of small order ([`PubKey::check`]). A **signature** is judged by ZIP-215 alone, which fixes every
//! corner that RFC 8032 leaves open, so that one by one and in batches the verdict is the same.

mod batch;
mod cache;
mod curve;
mod key;

pub use batch::{BATCH_MAX, BadSignature, Signed, verify_all, verify_batch};
pub use cache::KeyCache;
pub use curve::Curve;
pub use key::{KeyError, ParseKeyError, PubKey, Sig};

/// What the library's arithmetic, which judges signatures alone, runs on here: `avx512`, `avx2` or
/// `serial`; batches go by [`Curve::best`]. The build decides what is compiled in (`.cargo/config.toml`),
/// the CPU what of it is used; verdicts do not depend on it.
#[must_use]
pub fn backend() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::is_x86_feature_detected as has;
        // The conditions of curve25519-dalek 5, `backend.rs`.
        let serial = cfg!(any(
            curve25519_dalek_backend = "serial",
            curve25519_dalek_backend = "fiat",
            curve25519_dalek_bits = "32"
        ));
        if !serial {
            let compiled_in = cfg!(curve25519_dalek_backend = "avx512")
                || cfg!(all(target_feature = "avx512ifma", target_feature = "avx512vl"));
            if compiled_in && has!("avx512ifma") && has!("avx512vl") {
                return "avx512";
            }
            if has!("avx2") {
                return "avx2";
            }
        }
    }
    "serial"
}
