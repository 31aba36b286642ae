//! The authenticated map of the state: from 32-byte keys to the hashes of values, under one root.
