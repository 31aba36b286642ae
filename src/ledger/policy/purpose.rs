//! What a record is read for (the codes of HL7's purpose of use that the ledger knows).

use std::io;

use borsh::io::{Read, Write};
use borsh::{BorshDeserialize, BorshSerialize};

/// One purpose: a bit. The codes are consensus and never reused; an unknown one is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u16)]
pub enum Purpose {
    /// Treatment.
    Treat = 1,
    /// Emergency treatment.
    EmergencyTreat = 2,
    /// Break the glass.
    BreakGlass = 4,
    /// The patient asked for it.
    PatientRequest = 8,
    /// Payment.
    Payment = 16,
    /// Operations.
    Operations = 32,
    /// Research.
    Research = 64,
}

impl Purpose {
    /// Every purpose, by code.
    pub const ALL: [Self; 7] = [
        Self::Treat,
        Self::EmergencyTreat,
        Self::BreakGlass,
        Self::PatientRequest,
        Self::Payment,
        Self::Operations,
        Self::Research,
    ];

    /// Its number on the wire.
    #[must_use]
    pub const fn code(self) -> u16 {
        self as u16
    }

    /// Of a number on the wire.
    #[must_use]
    pub fn of_code(code: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.code() == code)
    }

    /// Whether it breaks the glass.
    #[must_use]
    pub const fn is_emergency(self) -> bool {
        matches!(self, Self::EmergencyTreat | Self::BreakGlass)
    }

    /// HL7's code.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Treat => "TREAT",
            Self::EmergencyTreat => "ETREAT",
            Self::BreakGlass => "BTG",
            Self::PatientRequest => "PATRQT",
            Self::Payment => "HPAYMT",
            Self::Operations => "HOPERAT",
            Self::Research => "HRESCH",
        }
    }
}

impl BorshSerialize for Purpose {
    fn serialize<W: Write>(&self, writer: &mut W) -> io::Result<()> {
        self.code().serialize(writer)
    }
}

impl BorshDeserialize for Purpose {
    fn deserialize_reader<R: Read>(reader: &mut R) -> io::Result<Self> {
        let code = u16::deserialize_reader(reader)?;
        Self::of_code(code).ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidData, format!("unknown purpose {code}"))
        })
    }
}

/// Several purposes, the bits of their codes; an unknown bit is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize)]
pub struct Purposes(u16);

impl Purposes {
    /// Those of a list.
    #[must_use]
    pub fn of(purposes: &[Purpose]) -> Self {
        Self(purposes.iter().fold(0, |bits, purpose| bits | purpose.code()))
    }

    /// Their bits.
    #[must_use]
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// Whether one is among them.
    #[must_use]
    pub const fn holds(self, purpose: Purpose) -> bool {
        self.0 & purpose.code() != 0
    }

    /// Its members, by code.
    pub fn iter(self) -> impl Iterator<Item = Purpose> {
        Purpose::ALL.into_iter().filter(move |purpose| self.holds(*purpose))
    }

    /// Whether a leaf with these is an emergency leaf: the glass may be broken under it.
    #[must_use]
    pub const fn is_emergency(self) -> bool {
        self.holds(Purpose::BreakGlass) || self.holds(Purpose::EmergencyTreat)
    }
}

impl BorshDeserialize for Purposes {
    fn deserialize_reader<R: Read>(reader: &mut R) -> io::Result<Self> {
        let bits = u16::deserialize_reader(reader)?;
        if bits & !Self::of(&Purpose::ALL).0 != 0 {
            let what = format!("unknown purposes {bits:#06x}");
            return Err(io::Error::new(io::ErrorKind::InvalidData, what));
        }
        Ok(Self(bits))
    }
}
