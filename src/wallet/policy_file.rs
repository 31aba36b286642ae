//! A policy as its owner writes it: TOML with roles, purposes and people by name; [`EXAMPLE`] explains
//! every key. What the names stand for is the caller's business.

use std::fmt::Write as _;

use serde::Deserialize;

use super::record::LEAVES_MAX;
use crate::ledger::policy::{
    Cell, DAY_MINUTES, Daily, Draft, EMERGENCY_SET, Leaf, Need, Place, Purpose, Purposes, Role,
    RoleRef, TOGETHER_WITHIN_DEFAULT, Together, Window,
};
use crate::ledger::transaction::PartyId;

/// A policy with every key explained.
pub const EXAMPLE: &str = include_str!("policy_example.toml");
/// Bytes of a policy file.
pub const POLICY_FILE_BYTES_MAX: usize = 256 << 10;

/// Blocks in which a request may be approved, and in which an open record may be read, unless something
/// else is said.
const WITHIN_DEFAULT: u32 = 40;
const FOREVER: &str = "forever";
const NAME_CHARS_MAX: usize = 48;
const TOGETHER: [(&str, Together); 4] = [
    ("apart", Together::Apart),
    ("within", Together::Within),
    ("one-transaction", Together::OneTransaction),
    ("one-round", Together::OneRound),
];

/// What texts in a policy stand for.
pub trait Names {
    /// The party that a text names.
    ///
    /// # Errors
    ///
    /// Why it names none.
    fn party(&self, text: &str) -> Result<PartyId, String>;

    /// The second since 1970 that a text names.
    ///
    /// # Errors
    ///
    /// Why it names none.
    fn time(&self, text: &str) -> Result<u32, String>;

    /// The units that a text names.
    ///
    /// # Errors
    ///
    /// Why it names none.
    fn amount(&self, text: &str) -> Result<u64, String>;
}

/// How a policy is shown: the other way round.
pub trait Spell {
    /// What people call a party.
    fn party(&self, party: &PartyId) -> String;

    /// A second since 1970.
    fn time(&self, seconds: u32) -> String;

    /// Units.
    fn amount(&self, units: u64) -> String;
}

/// Why a text is no policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyFileError {
    /// Over [`POLICY_FILE_BYTES_MAX`].
    #[error("policy file of {0} bytes, at most {POLICY_FILE_BYTES_MAX}")]
    TooLarge(usize),
    /// No TOML, or not these keys.
    #[error("policy file: {0}")]
    Toml(String),
    /// No leaf, or too many.
    #[error("policy file: {0} leaves, expected 1 to {LEAVES_MAX}")]
    Leaves(usize),
    /// A key of a leaf says what cannot be.
    #[error("policy file: leaf {leaf:?}: {key}: {why}")]
    Key {
        /// Which leaf.
        leaf: String,
        /// Which key.
        key: &'static str,
        /// Why.
        why: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    leaf: Vec<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    name: String,
    readers: Vec<String>,
    places: Vec<String>,
    from: Option<When>,
    until: Option<When>,
    daily: Option<String>,
    purposes: Vec<String>,
    #[serde(default)]
    need: Vec<String>,
    guardians: u8,
    together: Option<String>,
    together_within: Option<u32>,
    answer_within: Option<u32>,
    read_within: Option<u32>,
    delay: Option<u32>,
    max_reads: Option<u16>,
    price: Option<String>,
    scope: Option<String>,
}

/// A time as text, or as seconds since 1970.
#[derive(Deserialize)]
#[serde(untagged)]
enum When {
    Seconds(u32),
    Text(String),
}

/// Reads a policy: every leaf with its name.
///
/// # Errors
///
/// The first thing that is wrong. Whether a leaf makes sense on a chain is [`Leaf::check`]'s to say.
pub fn parse(text: &str, names: &dyn Names) -> Result<Vec<(String, Draft)>, PolicyFileError> {
    if text.len() > POLICY_FILE_BYTES_MAX {
        return Err(PolicyFileError::TooLarge(text.len()));
    }
    let one_line = |error: &toml::de::Error| {
        let line = error.span().map(|span| text[..span.start].matches('\n').count() + 1);
        let line = line.map_or(String::new(), |line| format!("line {line}: "));
        format!("{line}{}", error.message().replace('\n', " "))
    };
    let file: File =
        toml::from_str(text).map_err(|error| PolicyFileError::Toml(one_line(&error)))?;
    if !(1..=LEAVES_MAX).contains(&file.leaf.len()) {
        return Err(PolicyFileError::Leaves(file.leaf.len()));
    }
    let mut leaves: Vec<(String, Draft)> = Vec::with_capacity(file.leaf.len());
    for text in &file.leaf {
        let leaf = text.name.chars().take(NAME_CHARS_MAX).collect::<String>();
        let bad = |(key, why)| PolicyFileError::Key { leaf: leaf.clone(), key, why };
        if text.name.is_empty() || text.name != leaf {
            return Err(bad(("name", format!("expected 1 to {NAME_CHARS_MAX} characters"))));
        }
        if leaves.iter().any(|(name, _)| *name == leaf) {
            return Err(bad(("name", "another leaf has it".into())));
        }
        leaves.push((leaf.clone(), text.draft(names).map_err(bad)?));
    }
    Ok(leaves)
}

/// The key that is wrong, and why.
type Bad = (&'static str, String);

impl Text {
    fn draft(&self, names: &dyn Names) -> Result<Draft, Bad> {
        let purposes = self.purposes.iter().map(|name| {
            let known = Purpose::ALL.into_iter().find(|purpose| purpose.name() == name);
            known.ok_or_else(|| unknown(name, &Purpose::ALL.map(Purpose::name)))
        });
        let purposes = purposes.collect::<Result<Vec<_>, _>>().map_err(|why| ("purposes", why))?;
        let purposes = Purposes::of(&purposes);
        let mut need: Vec<Need> = Vec::with_capacity(self.need.len());
        for text in &self.need {
            let wanted = read_need(text, names).map_err(|why| ("need", why))?;
            if need.iter().any(|known| known.role == wanted.role) {
                return Err(("need", format!("{text:?} names a role twice")));
            }
            need.push(wanted);
        }
        need.sort_by_key(|need| need.role);
        let set = if purposes.is_emergency() { EMERGENCY_SET } else { 0 };
        let together = match &self.together {
            None => Together::Apart,
            Some(name) => {
                let known = TOGETHER.iter().find(|(known, _)| known == name);
                let list = TOGETHER.map(|(name, _)| name);
                known.ok_or_else(|| ("together", unknown(name, &list)))?.1
            }
        };
        let mut scope = [0; 32];
        if let Some(text) = &self.scope {
            let decoded = hex::decode_to_slice(text, &mut scope);
            decoded.map_err(|_| ("scope", "expected 64 hex digits".to_owned()))?;
        }
        let price = self.price.as_deref().map(|text| names.amount(text)).transpose();
        let terms = Leaf {
            salt: [0; 16],
            set,
            readers: [0; 32],
            places: [0; 32],
            window: self.window(names)?,
            daily: self.daily.as_deref().map(daily).transpose().map_err(|why| ("daily", why))?,
            purposes,
            need,
            k: self.guardians,
            together,
            together_within: self.together_within.unwrap_or(TOGETHER_WITHIN_DEFAULT),
            answer_within: self.answer_within.unwrap_or(WITHIN_DEFAULT),
            read_within: self.read_within.unwrap_or(WITHIN_DEFAULT),
            delay: self.delay.unwrap_or(0),
            max_reads: self.max_reads.unwrap_or(1),
            price: price.map_err(|why| ("price", why))?.unwrap_or(0),
            scope,
        };
        let readers = self.readers.iter().map(|text| role(text, names));
        let places = self.places.iter().map(|text| place(text, names));
        Ok(Draft {
            terms,
            readers: readers.collect::<Result<_, _>>().map_err(|why| ("readers", why))?,
            places: places.collect::<Result<_, _>>().map_err(|why| ("places", why))?,
        })
    }

    fn window(&self, names: &dyn Names) -> Result<Option<Window>, Bad> {
        let read = |key, when: &Option<When>| match when {
            None => Ok(None),
            Some(When::Seconds(seconds)) => Ok(Some(*seconds)),
            Some(When::Text(text)) if text == FOREVER && key == "until" => Ok(Some(u32::MAX)),
            Some(When::Text(text)) => names.time(text).map(Some).map_err(|why| (key, why)),
        };
        let (from, until) = (read("from", &self.from)?, read("until", &self.until)?);
        if from.is_none() && until.is_none() {
            return Ok(None);
        }
        Ok(Some(Window { from: from.unwrap_or(0), to: until.unwrap_or(u32::MAX) }))
    }
}

fn unknown(name: &str, known: &[&str]) -> String {
    let name: String = name.chars().take(40).collect();
    format!("{name:?} is not known: expected {}", known.join(", "))
}

fn role(text: &str, names: &dyn Names) -> Result<RoleRef, String> {
    let (role, issuer) =
        text.split_once('@').ok_or_else(|| format!("{text:?}: expected ROLE@ISSUER"))?;
    let known = Role::ALL.into_iter().find(|known| known.name() == role);
    let role = known.ok_or_else(|| unknown(role, &Role::ALL.map(Role::name)))?;
    Ok(RoleRef { role, issuer: names.party(issuer)? })
}

fn read_need(text: &str, names: &dyn Names) -> Result<Need, String> {
    let form = || format!("{text:?}: expected COUNT ROLE@ISSUER");
    let (count, of) = text.split_once(' ').ok_or_else(form)?;
    let count = count.parse().map_err(|_| form())?;
    Ok(Need { role: role(of.trim(), names)?, count })
}

fn place(text: &str, names: &dyn Names) -> Result<Place, String> {
    match text.split_once(':') {
        None if text == "anywhere" => Ok(Place::Anywhere),
        None if text == "any-emergency" => Ok(Place::AnyEmergency),
        Some(("site", site)) => Ok(Place::Site(names.party(site)?)),
        Some(("cell", of)) => {
            let (cell, issuer) =
                of.split_once('@').ok_or_else(|| format!("{text:?}: expected cell:CELL@ISSUER"))?;
            let known = u64::from_str_radix(cell, 16).ok().map(Cell).filter(|c| c.is_valid());
            let cell = known.ok_or_else(|| format!("{text:?}: no cell of the H3 grid"))?;
            Ok(Place::Cell(cell, names.party(issuer)?))
        }
        _ => {
            let forms = ["site:KEY", "cell:CELL@ISSUER", "any-emergency", "anywhere"];
            Err(unknown(text, &forms))
        }
    }
}

fn daily(text: &str) -> Result<Daily, String> {
    let minute = |text: &str| {
        let (hours, minutes) = text.split_once(':')?;
        let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
        let minute = hours.checked_mul(60)?.checked_add(minutes)?;
        (minutes < 60 && minute < DAY_MINUTES).then_some(minute)
    };
    let ends = text.split_once('-').and_then(|(from, to)| Some((minute(from)?, minute(to)?)));
    let (from, to) = ends.ok_or_else(|| format!("{text:?}: expected HH:MM-HH:MM, UTC"))?;
    Ok(Daily { from, to })
}

/// Leaves as the text that [`parse`] reads, without what is left out.
#[must_use]
pub fn to_text<'a>(
    leaves: impl IntoIterator<Item = (&'a str, &'a Draft)>,
    spell: &dyn Spell,
) -> String {
    let mut text = String::new();
    for (name, draft) in leaves {
        if !text.is_empty() {
            text.push('\n');
        }
        // A string takes every write.
        let _ = write_leaf(&mut text, name, draft, spell);
    }
    text
}

fn write_leaf(
    text: &mut String,
    name: &str,
    Draft { terms, readers, places }: &Draft,
    spell: &dyn Spell,
) -> std::fmt::Result {
    let role = |of: &RoleRef| format!("{}@{}", of.role.name(), spell.party(&of.issuer));
    let place = |of: &Place| match of {
        Place::Site(site) => format!("site:{}", spell.party(site)),
        Place::Cell(cell, issuer) => format!("cell:{:x}@{}", cell.0, spell.party(issuer)),
        Place::AnyEmergency => "any-emergency".to_owned(),
        Place::Anywhere => "anywhere".to_owned(),
    };
    let need = |need: &Need| format!("{} {}", need.count, role(&need.role));
    writeln!(text, "[[leaf]]")?;
    writeln!(text, "name = {}", quoted(name))?;
    writeln!(text, "readers = {}", list(readers.iter().map(role)))?;
    writeln!(text, "places = {}", list(places.iter().map(place)))?;
    if let Some(Window { from, to }) = terms.window {
        if from > 0 {
            writeln!(text, "from = {}", quoted(&spell.time(from)))?;
        }
        let until = if to == u32::MAX { FOREVER.to_owned() } else { spell.time(to) };
        writeln!(text, "until = {}", quoted(&until))?;
    }
    if let Some(Daily { from, to }) = terms.daily {
        let minute = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
        writeln!(text, "daily = {}", quoted(&format!("{}-{}", minute(from), minute(to))))?;
    }
    let purposes = terms.purposes.iter().map(|purpose| purpose.name().to_owned());
    writeln!(text, "purposes = {}", list(purposes))?;
    writeln!(text, "need = {}", list(terms.need.iter().map(need)))?;
    writeln!(text, "guardians = {}", terms.k)?;
    let together = TOGETHER.iter().find(|(_, together)| *together == terms.together);
    writeln!(text, "together = {}", quoted(together.map_or("", |(name, _)| name)))?;
    writeln!(text, "together_within = {}", terms.together_within)?;
    writeln!(text, "answer_within = {}", terms.answer_within)?;
    writeln!(text, "read_within = {}", terms.read_within)?;
    writeln!(text, "delay = {}", terms.delay)?;
    writeln!(text, "max_reads = {}", terms.max_reads)?;
    writeln!(text, "price = {}", quoted(&spell.amount(terms.price)))?;
    writeln!(text, "scope = {}", quoted(&hex::encode(terms.scope)))
}

fn list(values: impl Iterator<Item = String>) -> String {
    format!("[{}]", values.map(|value| quoted(&value)).collect::<Vec<_>>().join(", "))
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
