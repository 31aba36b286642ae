//! The tables of a store: numbers that are explicit and never reused. What a table holds is decided by
//! the ledger; the store knows keys and values as bytes.

use std::fmt;

macro_rules! tables {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $text:literal;)*) => {
        /// A table: an ordered map from bytes to bytes.
        ///
        /// The number is part of every value's checksum and of the name on disk, so a number that has
        /// been released keeps its meaning for ever; a table that is no longer used leaves a gap.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        #[repr(u8)]
        pub enum Table {
            $($(#[$doc])* $name = $number,)*
        }

        impl Table {
            /// Every table, by number.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The table's number.
            #[must_use]
            pub const fn number(self) -> u8 {
                match self {
                    $(Self::$name => $number,)*
                }
            }

            /// One more than the highest number.
            pub(super) const NUMBERS: usize = 1 + Self::ALL[Self::ALL.len() - 1].index();

            /// The table's number, to index by.
            pub(super) const fn index(self) -> usize {
                self.number() as usize
            }

            /// The table's name in the file: its number in decimal.
            pub(super) const fn file_name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($number),)*
                }
            }

            /// The table's name in messages.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

tables! {
    /// Single facts about the chain: specification, tip, counters.
    Meta = 1, "meta";
    /// The header tree.
    Headers = 2, "headers";
    /// Bodies of blocks.
    Bodies = 3, "bodies";
    /// The best chain by height.
    Heights = 4, "heights";
    /// Entries of the state.
    State = 5, "state";
    /// Nodes of the authenticated map over the state.
    Pages = 6, "pages";
    /// What undoes a block.
    Undo = 7, "undo";
    /// The leaf list of each block, so that a changed transaction can be named.
    Leaves = 8, "leaves";
    /// Where a core id was included.
    Cores = 9, "cores";
    /// Where a transaction was included.
    Transactions = 10, "transactions";
    /// Checkpoints of the witnesses.
    Checkpoints = 11, "checkpoints";
    /// The order in which blocks arrived: first seen wins a tie.
    Arrivals = 12, "arrivals";
    /// What happened to each record, in order: the events behind the logs of the state.
    Events = 13, "events";
    /// The moves that each lot of goods went through.
    Lots = 14, "lots";
    /// Moves of goods by core id.
    Moves = 15, "moves";
    /// Which bodies are kept beside the best chain.
    Sides = 16, "sides";
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Numbers rise, so that `ALL` is in the order of numbers and none stands twice.
const _: () = {
    let mut i = 1;
    while i < Table::ALL.len() {
        assert!(Table::ALL[i - 1].number() < Table::ALL[i].number());
        i += 1;
    }
};
