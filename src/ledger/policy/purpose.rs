//! What access is for: the purposes of use of HL7 (`v3-ActReason`) that the ledger knows, as bits.

use std::fmt;
use std::io;

use borsh::{BorshDeserialize, BorshSerialize};

/// One purpose. The bits are consensus and never reused; an unknown one does not decode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u16)]
#[non_exhaustive]
pub enum Purpose {
    /// Treatment.
    Treat = 1,
    /// Emergency treatment.
    Etreat = 2,
    /// Break the glass.
    Btg = 4,
    /// At the patient's request.
    Patrqt = 8,
    /// Payment.
    Hpaymt = 16,
    /// Operations.
    Hoperat = 32,
    /// Research.
    Hresch = 64,
}

/// A set of purposes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, BorshSerialize)]
pub struct Purposes(u16);

impl Purpose {
    /// Every purpose, in the order of the bits.
    pub const ALL: [Self; 7] = [
        Self::Treat,
        Self::Etreat,
        Self::Btg,
        Self::Patrqt,
        Self::Hpaymt,
        Self::Hoperat,
        Self::Hresch,
    ];

    /// The bit.
    #[must_use]
    pub const fn bit(self) -> u16 {
        // The discriminant, which is the bit.
        self as u16
    }

    /// The purpose of a bit.
    #[must_use]
    pub fn from_bit(bit: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.bit() == bit)
    }

    /// HL7's code.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Treat => "TREAT",
            Self::Etreat => "ETREAT",
            Self::Btg => "BTG",
            Self::Patrqt => "PATRQT",
            Self::Hpaymt => "HPAYMT",
            Self::Hoperat => "HOPERAT",
            Self::Hresch => "HRESCH",
        }
    }

    /// The purpose of a code.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.name() == name)
    }

    /// Whether it is one that breaks the glass.
    #[must_use]
    pub const fn is_emergency(self) -> bool {
        matches!(self, Self::Etreat | Self::Btg)
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl BorshSerialize for Purpose {
    fn serialize<W: io::Write>(&self, writer: &mut W) -> io::Result<()> {
        self.bit().serialize(writer)
    }
}

impl BorshDeserialize for Purpose {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        let bit = u16::deserialize_reader(reader)?;
        Self::from_bit(bit).ok_or_else(|| unknown(bit))
    }
}

impl Purposes {
    /// A set of some purposes.
    #[must_use]
    pub fn of(purposes: &[Purpose]) -> Self {
        Self(purposes.iter().fold(0, |bits, purpose| bits | purpose.bit()))
    }

    /// Whether it holds a purpose.
    #[must_use]
    pub const fn contains(self, purpose: Purpose) -> bool {
        self.0 & purpose.bit() != 0
    }

    /// Its members, in the order of the bits.
    pub fn iter(self) -> impl Iterator<Item = Purpose> {
        Purpose::ALL.into_iter().filter(move |purpose| self.contains(*purpose))
    }

    /// Whether it has no member.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl BorshDeserialize for Purposes {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        let bits = u16::deserialize_reader(reader)?;
        let known = Purpose::ALL.iter().fold(0, |known, purpose| known | purpose.bit());
        if bits & !known == 0 { Ok(Self(bits)) } else { Err(unknown(bits)) }
    }
}

fn unknown(bits: u16) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("unknown purpose bits {bits:#06x}"))
}
