//! What people paste: addresses and key files. Whatever parses must print back to what parses the same.

use crate::ledger::address::Address;
use crate::wallet::KeyFile;

/// Any text is an address or not; if it is, it has one spelling, but for upper case as a whole.
///
/// # Panics
///
/// If the address prints as another text.
pub fn address(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(address) = text.parse::<Address>() {
        assert_eq!(address.to_string(), text.to_ascii_lowercase(), "an address has one spelling");
        assert!(address.key.check().is_ok(), "an address pays a key that may be paid");
    }
}

/// Any bytes are a key file or not; if they are, its text is one too, of the same key. A protected one
/// is not opened, since that costs what its passphrase is worth.
///
/// # Panics
///
/// If the text differs the second time, or an unprotected file opens to another key.
pub fn key_file(data: &[u8]) {
    let Ok(file) = KeyFile::parse(data) else { return };
    let text = file.to_text();
    let again = KeyFile::parse(text.as_bytes()).expect("what was written can be read");
    assert_eq!(*again.to_text(), *text);
    assert_eq!(again.public_key(), file.public_key());
    match file.open(None) {
        Ok(secret) => assert_eq!(secret.public_key(), file.public_key()),
        Err(error) => assert!(error.to_string().contains("key"), "{error}"),
    }
}
