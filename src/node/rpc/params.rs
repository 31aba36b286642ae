//! Parameters of a call by place, whether they came so or by name.

use serde_json::{Map, Value};

use super::envelope::{Code, RpcError};

/// The parameters in the order of a method's names; what was left out is null.
#[derive(Debug, Clone, PartialEq)]
pub struct Params {
    names: &'static [&'static str],
    values: Vec<Value>,
}

impl Params {
    /// Puts them in their places.
    ///
    /// # Errors
    ///
    /// If there are too many, or one has a name that the method does not know.
    pub fn bind(names: &'static [&'static str], params: Value) -> Result<Self, RpcError> {
        let mut values = match params {
            Value::Object(mut fields) => {
                let take = |name: &&str| fields.remove(*name).unwrap_or(Value::Null);
                let values: Vec<Value> = names.iter().map(take).collect();
                if let Some(name) = fields.keys().next() {
                    let name: String = name.chars().take(40).collect();
                    let message = format!("unknown named parameter {name:?}");
                    return Err(RpcError::new(Code::InvalidParameter, message));
                }
                values
            }
            Value::Array(values) => values,
            _ => Vec::new(),
        };
        if values.len() > names.len() {
            let message = format!("{} parameters, at most {}", values.len(), names.len());
            return Err(RpcError::new(Code::Misc, message));
        }
        values.resize(names.len(), Value::Null);
        Ok(Self { names, values })
    }

    fn value(&self, at: usize) -> Option<&Value> {
        self.values.get(at).filter(|value| !value.is_null())
    }

    fn of_type(&self, at: usize, expected: &str) -> RpcError {
        RpcError::new(Code::Type, format!("{} is not {expected}", self.names[at]))
    }

    /// A string that must be there.
    ///
    /// # Errors
    ///
    /// If it is not.
    pub fn string(&self, at: usize) -> Result<&str, RpcError> {
        match self.value(at) {
            Some(Value::String(text)) => Ok(text),
            Some(_) => Err(self.of_type(at, "a string")),
            // Pools find out by this code whether a node knows the method.
            None => Err(RpcError::new(Code::Misc, format!("{} is missing", self.names[at]))),
        }
    }

    /// A string that may be there.
    ///
    /// # Errors
    ///
    /// If something else is.
    pub fn string_or_none(&self, at: usize) -> Result<Option<&str>, RpcError> {
        self.value(at).map(|_| self.string(at)).transpose()
    }

    /// A height or a level that may be there; `false` and `true` count as 0 and 1, as Bitcoin Core reads
    /// a verbosity.
    ///
    /// # Errors
    ///
    /// If something else is.
    pub fn number_or(&self, at: usize, default: u32) -> Result<u32, RpcError> {
        match self.value(at) {
            None => Ok(default),
            Some(Value::Bool(flag)) => Ok(u32::from(*flag)),
            Some(value) => value
                .as_u64()
                .and_then(|number| u32::try_from(number).ok())
                .ok_or_else(|| self.of_type(at, "a number from 0 to 4294967295")),
        }
    }

    /// A number that must be there.
    ///
    /// # Errors
    ///
    /// If it is not.
    pub fn number(&self, at: usize) -> Result<u32, RpcError> {
        match self.value(at) {
            Some(_) => self.number_or(at, 0),
            None => Err(RpcError::new(Code::Misc, format!("{} is missing", self.names[at]))),
        }
    }

    /// The fields of an object that may be there.
    ///
    /// # Errors
    ///
    /// If something else is.
    pub fn object_or_none(&self, at: usize) -> Result<Option<&Map<String, Value>>, RpcError> {
        match self.value(at) {
            None => Ok(None),
            Some(Value::Object(fields)) => Ok(Some(fields)),
            Some(_) => Err(self.of_type(at, "an object")),
        }
    }
}
