//! The `message!` macro: a struct and its codec from one table of fields.
//!
//! Kinds: `string`, `bytes`, `uint64`, `fixed64`, `int64`, `bool`, `double`, `open(Enum)`, `option(Message)`,
//! `repeated(Message)`, `strings` (repeated string), `map(Message)` (string keys), `string_map`.

/// Declares a protobuf message: documentation, Rust struct, codec, and table of fields at once.
macro_rules! message {
    (
        $(#[$meta:meta])*
        pub struct $name:ident {
            $( $(#[$fmeta:meta])* $number:literal $field:ident : $kind:ident $( ( $arg:ident ) )? , )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct $name {
            $( $(#[$fmeta])* pub $field: $crate::wire::field_type!($kind $( $arg )?), )*
            /// Fields that a newer peer sent and this version does not name.
            pub unknown: $crate::wire::UnknownFields,
        }

        impl $crate::wire::Described for $name {
            const NAME: &'static str = stringify!($name);
            const FIELDS: &'static [$crate::wire::FieldInfo] = &[
                $( $crate::wire::FieldInfo {
                    number: $number,
                    name: stringify!($field),
                    kind: concat!(stringify!($kind) $(, "(", stringify!($arg), ")")?),
                }, )*
            ];
        }

        impl $crate::wire::Weigh for $name {
            fn weigh_field(
                number: u32,
                payload: &[u8],
                scale: &mut $crate::wire::Scale,
            ) -> Result<(), $crate::wire::TooHeavy> {
                match number {
                    $( $number => $crate::wire::field_weigh!(payload, scale, $kind $( $arg )?), )*
                    _ => {
                        scale.text(payload);
                        Ok(())
                    }
                }
            }
        }

        impl prost::Message for $name {
            fn encode_raw(&self, buf: &mut impl bytes::BufMut) {
                $( $crate::wire::field_encode!($number, &self.$field, buf, $kind $( $arg )?); )*
                self.unknown.encode(buf);
            }

            fn merge_field(
                &mut self,
                number: u32,
                wire_type: prost::encoding::WireType,
                buf: &mut impl bytes::Buf,
                context: prost::encoding::DecodeContext,
            ) -> Result<(), prost::DecodeError> {
                match number {
                    $( $number => $crate::wire::field_merge!(
                        wire_type, &mut self.$field, buf, context, $kind $( $arg )?
                    ), )*
                    _ => self.unknown.merge(number, wire_type, buf, context),
                }
            }

            fn encoded_len(&self) -> usize {
                self.unknown.encoded_len()
                    $( + $crate::wire::field_len!($number, &self.$field, $kind $( $arg )?) )*
            }

            fn clear(&mut self) {
                *self = Self::default();
            }
        }
    };
}

macro_rules! field_type {
    (string) => { String };
    (bytes) => { bytes::Bytes };
    (uint64) => { u64 };
    (fixed64) => { u64 };
    (bool) => { bool };
    (double) => { f64 };
    (open $arg:ident) => { $arg };
    (option $arg:ident) => { Option<$arg> };
    (repeated $arg:ident) => { Vec<$arg> };
    (strings) => { Vec<String> };
    (map $arg:ident) => { std::collections::BTreeMap<String, $arg> };
    (string_map) => { std::collections::BTreeMap<String, String> };
}

macro_rules! field_encode {
    ($number:expr, $value:expr, $buf:expr, string) => {
        if !$value.is_empty() {
            prost::encoding::string::encode($number, $value, $buf)
        }
    };
    ($number:expr, $value:expr, $buf:expr, bytes) => {
        if !$value.is_empty() {
            prost::encoding::bytes::encode($number, $value, $buf)
        }
    };
    ($number:expr, $value:expr, $buf:expr, uint64) => {
        if *$value != 0 {
            prost::encoding::uint64::encode($number, $value, $buf)
        }
    };
    ($number:expr, $value:expr, $buf:expr, fixed64) => {
        if *$value != 0 {
            prost::encoding::fixed64::encode($number, $value, $buf)
        }
    };
    ($number:expr, $value:expr, $buf:expr, bool) => {
        if *$value {
            prost::encoding::bool::encode($number, $value, $buf)
        }
    };
    ($number:expr, $value:expr, $buf:expr, double) => {
        if *$value != 0.0 {
            prost::encoding::double::encode($number, $value, $buf)
        }
    };
    ($number:expr, $value:expr, $buf:expr, open $arg:ident) => {
        if $value.0 != 0 {
            prost::encoding::int32::encode($number, &$value.0, $buf)
        }
    };
    ($number:expr, $value:expr, $buf:expr, option $arg:ident) => {
        if let Some(message) = $value {
            prost::encoding::message::encode($number, message, $buf)
        }
    };
    ($number:expr, $value:expr, $buf:expr, repeated $arg:ident) => {
        prost::encoding::message::encode_repeated($number, $value, $buf)
    };
    ($number:expr, $value:expr, $buf:expr, strings) => {
        prost::encoding::string::encode_repeated($number, $value, $buf)
    };
    ($number:expr, $value:expr, $buf:expr, map $arg:ident) => {
        prost::encoding::btree_map::encode(
            prost::encoding::string::encode,
            prost::encoding::string::encoded_len,
            prost::encoding::message::encode,
            prost::encoding::message::encoded_len,
            $number,
            $value,
            $buf,
        )
    };
    ($number:expr, $value:expr, $buf:expr, string_map) => {
        prost::encoding::btree_map::encode(
            prost::encoding::string::encode,
            prost::encoding::string::encoded_len,
            prost::encoding::string::encode,
            prost::encoding::string::encoded_len,
            $number,
            $value,
            $buf,
        )
    };
}

macro_rules! field_merge {
    ($wire:expr, $value:expr, $buf:expr, $context:expr, open $arg:ident) => {
        prost::encoding::int32::merge($wire, &mut ($value).0, $buf, $context)
    };
    ($wire:expr, $value:expr, $buf:expr, $context:expr, option $arg:ident) => {
        prost::encoding::message::merge($wire, $value.get_or_insert_with(Default::default), $buf, $context)
    };
    ($wire:expr, $value:expr, $buf:expr, $context:expr, repeated $arg:ident) => {
        prost::encoding::message::merge_repeated($wire, $value, $buf, $context)
    };
    ($wire:expr, $value:expr, $buf:expr, $context:expr, strings) => {
        prost::encoding::string::merge_repeated($wire, $value, $buf, $context)
    };
    ($wire:expr, $value:expr, $buf:expr, $context:expr, map $arg:ident) => {
        prost::encoding::btree_map::merge(
            prost::encoding::string::merge,
            prost::encoding::message::merge,
            $value,
            $buf,
            $context,
        )
    };
    ($wire:expr, $value:expr, $buf:expr, $context:expr, string_map) => {
        prost::encoding::btree_map::merge(
            prost::encoding::string::merge,
            prost::encoding::string::merge,
            $value,
            $buf,
            $context,
        )
    };
    ($wire:expr, $value:expr, $buf:expr, $context:expr, $kind:ident) => {
        prost::encoding::$kind::merge($wire, $value, $buf, $context)
    };
}

macro_rules! field_len {
    ($number:expr, $value:expr, string) => {
        if $value.is_empty() { 0 } else { prost::encoding::string::encoded_len($number, $value) }
    };
    ($number:expr, $value:expr, bytes) => {
        if $value.is_empty() { 0 } else { prost::encoding::bytes::encoded_len($number, $value) }
    };
    ($number:expr, $value:expr, uint64) => {
        if *$value == 0 { 0 } else { prost::encoding::uint64::encoded_len($number, $value) }
    };
    ($number:expr, $value:expr, fixed64) => {
        if *$value == 0 { 0 } else { prost::encoding::fixed64::encoded_len($number, $value) }
    };
    ($number:expr, $value:expr, bool) => {
        if *$value { prost::encoding::bool::encoded_len($number, $value) } else { 0 }
    };
    ($number:expr, $value:expr, double) => {
        if *$value == 0.0 { 0 } else { prost::encoding::double::encoded_len($number, $value) }
    };
    ($number:expr, $value:expr, open $arg:ident) => {
        if $value.0 == 0 { 0 } else { prost::encoding::int32::encoded_len($number, &$value.0) }
    };
    ($number:expr, $value:expr, option $arg:ident) => {
        $value.as_ref().map_or(0, |message| prost::encoding::message::encoded_len($number, message))
    };
    ($number:expr, $value:expr, repeated $arg:ident) => {
        prost::encoding::message::encoded_len_repeated($number, $value)
    };
    ($number:expr, $value:expr, strings) => {
        prost::encoding::string::encoded_len_repeated($number, $value)
    };
    ($number:expr, $value:expr, map $arg:ident) => {
        prost::encoding::btree_map::encoded_len(
            prost::encoding::string::encoded_len,
            prost::encoding::message::encoded_len,
            $number,
            $value,
        )
    };
    ($number:expr, $value:expr, string_map) => {
        prost::encoding::btree_map::encoded_len(
            prost::encoding::string::encoded_len,
            prost::encoding::string::encoded_len,
            $number,
            $value,
        )
    };
}

pub(crate) use {field_encode, field_len, field_merge, field_type, message};
