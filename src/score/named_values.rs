//! Values by the names of a model's parameters, as a model file writes them.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::models::ParameterInfo;

/// Values by name, in a fixed order.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Named<T>(pub(super) Vec<(String, T)>);

impl<T: Serialize> Serialize for Named<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Entries<T>(std::marker::PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = Named<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of named values")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Named<T>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Named(entries))
            }
        }
        deserializer.deserialize_map(Entries(std::marker::PhantomData))
    }
}

/// An object whose keys are the names.
#[cfg(feature = "schema")]
impl<T: schemars::JsonSchema> schemars::JsonSchema for Named<T> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("Named_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let value = generator.subschema_for::<T>();
        schemars::json_schema!({ "type": "object", "additionalProperties": value })
    }
}

impl<T> Named<T> {
    /// Puts the values into the order of `expected`: JSON promises none, and other tools sort.
    pub(super) fn arrange(&mut self, expected: &[ParameterInfo]) -> std::result::Result<(), String> {
        if let Some((name, _)) = self.0.iter().find(|(name, _)| expected.iter().all(|parameter| parameter.name != name)) {
            return Err(format!("{name} is no parameter of this model"));
        }
        let place = |name: &str| expected.iter().position(|parameter| parameter.name == name);
        if let Some(missing) = expected.iter().find(|parameter| self.0.iter().all(|(name, _)| name != parameter.name)) {
            return Err(format!("{} is missing", missing.name));
        }
        if self.0.len() > expected.len() {
            return Err("a name is there twice".to_owned());
        }
        self.0.sort_by_key(|(name, _)| place(name));
        Ok(())
    }
}
