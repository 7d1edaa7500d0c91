//! Attribute values, a copy of OTLP's.

use bytes::{Buf, BufMut, Bytes};
use prost::DecodeError;
use prost::encoding::{self, DecodeContext, WireType};

use crate::wire::{Described, FieldInfo, Scale, TooHeavy, UnknownFields, Weigh, message};

message! {
    /// An attribute.
    pub struct KeyValue {
        /// Its name.
        1 key: string,
        /// Its value.
        2 value: option(AnyValue),
    }
}

impl KeyValue {
    /// A text attribute.
    #[must_use]
    pub fn text(key: impl Into<String>, value: impl Into<String>) -> Self {
        Self { key: key.into(), value: Some(AnyValue::from(value.into())), ..Self::default() }
    }
}

message! {
    /// A list of values.
    pub struct ArrayValue {
        /// In order.
        1 values: repeated(AnyValue),
    }
}

message! {
    /// A map of values.
    pub struct KeyValueList {
        /// In order; keys should be unique.
        1 values: repeated(KeyValue),
    }
}

/// A value of an attribute; none of its kinds set is an empty value.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AnyValue {
    /// The value.
    pub value: Option<Value>,
    /// Fields that a newer peer sent and this version does not name.
    pub unknown: UnknownFields,
}

/// The kinds of value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Text.
    String(String),
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number.
    Double(f64),
    /// A list.
    Array(ArrayValue),
    /// A map.
    Kvlist(KeyValueList),
    /// Bytes.
    Bytes(Bytes),
}

impl AnyValue {
    /// The text of a text value.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Some(Value::String(text)) => Some(text),
            _ => None,
        }
    }
}

impl From<String> for AnyValue {
    fn from(text: String) -> Self {
        Self { value: Some(Value::String(text)), unknown: UnknownFields::default() }
    }
}

impl From<&str> for AnyValue {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}

/// Plain text for a person: text as it is, lists and maps in brackets, bytes as hexadecimal.
impl std::fmt::Display for AnyValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.value {
            None => Ok(()),
            Some(Value::String(text)) => f.write_str(text),
            Some(Value::Bool(flag)) => write!(f, "{flag}"),
            Some(Value::Int(number)) => write!(f, "{number}"),
            Some(Value::Double(number)) => write!(f, "{number}"),
            Some(Value::Array(list)) => {
                f.write_str("[")?;
                for (index, value) in list.values.iter().enumerate() {
                    write!(f, "{}{value}", if index == 0 { "" } else { ", " })?;
                }
                f.write_str("]")
            }
            Some(Value::Kvlist(map)) => {
                f.write_str("{")?;
                for (index, pair) in map.values.iter().enumerate() {
                    write!(f, "{}{}: ", if index == 0 { "" } else { ", " }, pair.key)?;
                    if let Some(value) = &pair.value {
                        write!(f, "{value}")?;
                    }
                }
                f.write_str("}")
            }
            Some(Value::Bytes(bytes)) => bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}")),
        }
    }
}

impl Described for AnyValue {
    const NAME: &'static str = "AnyValue";
    const FIELDS: &'static [FieldInfo] = &[
        FieldInfo { number: 1, name: "string_value", kind: "string" },
        FieldInfo { number: 2, name: "bool_value", kind: "bool" },
        FieldInfo { number: 3, name: "int_value", kind: "int64" },
        FieldInfo { number: 4, name: "double_value", kind: "double" },
        FieldInfo { number: 5, name: "array_value", kind: "option(ArrayValue)" },
        FieldInfo { number: 6, name: "kvlist_value", kind: "option(KeyValueList)" },
        FieldInfo { number: 7, name: "bytes_value", kind: "bytes" },
    ];
}

impl Weigh for AnyValue {
    fn weigh_field(number: u32, payload: &[u8], scale: &mut Scale) -> Result<(), TooHeavy> {
        match number {
            5 => scale.message::<ArrayValue>(payload),
            6 => scale.message::<KeyValueList>(payload),
            _ => {
                scale.text(payload);
                Ok(())
            }
        }
    }
}

/// Written out by hand: the only `oneof` of the protocol whose members are told apart when zero.
impl prost::Message for AnyValue {
    fn encode_raw(&self, buf: &mut impl BufMut) {
        match &self.value {
            None => {}
            Some(Value::String(text)) => encoding::string::encode(1, text, buf),
            Some(Value::Bool(flag)) => encoding::bool::encode(2, flag, buf),
            Some(Value::Int(number)) => encoding::int64::encode(3, number, buf),
            Some(Value::Double(number)) => encoding::double::encode(4, number, buf),
            Some(Value::Array(list)) => encoding::message::encode(5, list, buf),
            Some(Value::Kvlist(map)) => encoding::message::encode(6, map, buf),
            Some(Value::Bytes(bytes)) => encoding::bytes::encode(7, bytes, buf),
        }
        self.unknown.encode(buf);
    }

    fn merge_field(
        &mut self,
        number: u32,
        wire_type: WireType,
        buf: &mut impl Buf,
        context: DecodeContext,
    ) -> Result<(), DecodeError> {
        // A message member that arrives twice is merged; anything else replaces what was there.
        let value = match (number, self.value.take()) {
            (1, _) => {
                let mut text = String::new();
                encoding::string::merge(wire_type, &mut text, buf, context)?;
                Value::String(text)
            }
            (2, _) => {
                let mut flag = false;
                encoding::bool::merge(wire_type, &mut flag, buf, context)?;
                Value::Bool(flag)
            }
            (3, _) => {
                let mut integer = 0;
                encoding::int64::merge(wire_type, &mut integer, buf, context)?;
                Value::Int(integer)
            }
            (4, _) => {
                let mut double = 0.0;
                encoding::double::merge(wire_type, &mut double, buf, context)?;
                Value::Double(double)
            }
            (5, before) => {
                let mut list =
                    if let Some(Value::Array(list)) = before { list } else { ArrayValue::default() };
                encoding::message::merge(wire_type, &mut list, buf, context)?;
                Value::Array(list)
            }
            (6, before) => {
                let mut map =
                    if let Some(Value::Kvlist(map)) = before { map } else { KeyValueList::default() };
                encoding::message::merge(wire_type, &mut map, buf, context)?;
                Value::Kvlist(map)
            }
            (7, _) => {
                let mut bytes = Bytes::new();
                encoding::bytes::merge(wire_type, &mut bytes, buf, context)?;
                Value::Bytes(bytes)
            }
            (_, before) => {
                self.value = before;
                return self.unknown.merge(number, wire_type, buf, context);
            }
        };
        self.value = Some(value);
        Ok(())
    }

    fn encoded_len(&self) -> usize {
        self.unknown.encoded_len()
            + match &self.value {
                None => 0,
                Some(Value::String(text)) => encoding::string::encoded_len(1, text),
                Some(Value::Bool(flag)) => encoding::bool::encoded_len(2, flag),
                Some(Value::Int(number)) => encoding::int64::encoded_len(3, number),
                Some(Value::Double(number)) => encoding::double::encoded_len(4, number),
                Some(Value::Array(list)) => encoding::message::encoded_len(5, list),
                Some(Value::Kvlist(map)) => encoding::message::encoded_len(6, map),
                Some(Value::Bytes(bytes)) => encoding::bytes::encoded_len(7, bytes),
            }
    }

    fn clear(&mut self) {
        *self = Self::default();
    }
}
