//! What belongs to goods beside the chain: the code on the package, which opens what the chain hides, and
//! moves that somebody signed and that never came on the chain.

mod code;
mod signed;

pub use code::{CODE_CHARS_MAX, CodeError, LotCode, NewCodeError, Number, Unit, tag_message};
pub use signed::signed_move;
