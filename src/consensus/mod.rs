//! What a valid header is, for our chains and for Bitcoin's: pure functions of headers and a chain
//! specification. No clock (now is an argument), no thread, no disk.
