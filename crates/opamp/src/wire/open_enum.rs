//! Enums that keep values they do not know.

/// Declares an open protobuf enum: a number with names for the values the specification defines.
macro_rules! open_enum {
    (
        $(#[$meta:meta])*
        pub enum $name:ident { $( $(#[$vmeta:meta])* $number:literal $variant:ident = $label:literal, )* }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub i32);

        #[allow(non_upper_case_globals)]
        impl $name {
            $( $(#[$vmeta])* pub const $variant: Self = Self($number); )*

            /// Every value that the specification names, with its label.
            pub const KNOWN: &'static [(Self, &'static str)] = &[ $( (Self::$variant, $label), )* ];

            /// The label of a known value; `None` for one from a newer peer.
            #[must_use]
            pub fn label(self) -> Option<&'static str> {
                Self::KNOWN.iter().find(|(value, _)| *value == self).map(|(_, label)| *label)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self.label() {
                    Some(label) => f.write_str(label),
                    None => write!(f, concat!(stringify!($name), "({})"), self.0),
                }
            }
        }
    };
}

pub(crate) use open_enum;
