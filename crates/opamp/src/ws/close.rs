//! Close frames: codes and reasons.

use super::{MAX_CONTROL_BYTES, Violation};

/// Codes that say why a connection is closed (RFC 6455 7.4 and IANA's registry).
pub mod close_code {
    /// The purpose of the connection is fulfilled.
    pub const NORMAL: u16 = 1000;
    /// The side goes away, as a server that stops does.
    pub const GOING_AWAY: u16 = 1001;
    /// The peer broke the protocol.
    pub const PROTOCOL: u16 = 1002;
    /// The peer sent a kind of message that is not taken, as text is in OpAMP (OpAMP S020).
    pub const UNSUPPORTED: u16 = 1003;
    /// The peer sent text that is not UTF-8.
    pub const INVALID: u16 = 1007;
    /// The peer did what it may not.
    pub const POLICY: u16 = 1008;
    /// The peer's message is above the limit (OpAMP S023).
    pub const TOO_BIG: u16 = 1009;
    /// The server restarts: come back after a moment.
    pub const RESTART: u16 = 1012;
    /// The server is overloaded: come back later.
    pub const TRY_AGAIN: u16 = 1013;
}

/// What a close frame says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Close {
    /// One of [`close_code`], or another that may stand on the wire.
    pub code: u16,
    /// For a person to read; at most 123 bytes fit into a frame.
    pub reason: String,
}

impl Close {
    /// A close with its reason.
    #[must_use]
    pub fn new(code: u16, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into() }
    }

    /// Reads a close frame's payload; `None` for an empty one.
    pub(super) fn parse(payload: &[u8]) -> Result<Option<Self>, Violation> {
        let Some((code, reason)) = payload.split_first_chunk::<2>() else {
            return if payload.is_empty() { Ok(None) } else { Err(Violation::TruncatedCloseCode) };
        };
        let code = u16::from_be_bytes(*code);
        if !may_stand_on_the_wire(code) {
            return Err(Violation::CloseCode(code));
        }
        let reason = std::str::from_utf8(reason).map_err(|_| Violation::CloseReason)?;
        Ok(Some(Self::new(code, reason)))
    }

    /// The reason, cut at a character's boundary so that it fits into a frame beside the code.
    pub(super) fn fitting_reason(&self) -> &str {
        let end = self.reason.floor_char_boundary(MAX_CONTROL_BYTES - 2);
        self.reason.get(..end).unwrap_or_default()
    }
}

/// 1004 is undefined; 1005, 1006 and 1015 stand for closes without a code; 1016 to 2999 are not assigned.
fn may_stand_on_the_wire(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_close_payloads_when_parsed_then_only_defined_ones_pass() {
        let close = |code, reason: &str| Ok(Some(Close::new(code, reason)));
        type Case = (&'static [u8], Result<Option<Close>, Violation>);
        let cases: &[Case] = &[
            (&[], Ok(None)),
            (&[3], Err(Violation::TruncatedCloseCode)),
            (&[3, 232], close(1000, "")),
            (&[3, 246, b'e', b'h'], close(1014, "eh")),
            (&[19, 135, 0xC3, 0xA9], close(4999, "é")),
            (&[3, 232, 0xC3], Err(Violation::CloseReason)),
            (&[0, 0], Err(Violation::CloseCode(0))),
            (&[3, 231], Err(Violation::CloseCode(999))),
            (&[3, 236], Err(Violation::CloseCode(1004))),
            (&[3, 237], Err(Violation::CloseCode(1005))),
            (&[3, 238], Err(Violation::CloseCode(1006))),
            (&[3, 247], Err(Violation::CloseCode(1015))),
            (&[11, 183], Err(Violation::CloseCode(2999))),
            (&[19, 136], Err(Violation::CloseCode(5000))),
        ];
        for (payload, expected) in cases {
            assert_eq!(&Close::parse(payload), expected, "{payload:?}");
        }
    }

    #[test]
    fn given_a_long_reason_when_cut_then_no_character_is_split() {
        let close = Close::new(1000, format!("a{}", "é".repeat(100)));
        assert_eq!(close.fitting_reason().len(), 123);
        let close = Close::new(1000, "é".repeat(100));
        assert_eq!(close.fitting_reason().len(), 122);
    }
}
