//! The canonical text of a query.

use std::fmt::{Display, Formatter, Result};

use super::parse::UNITS;
use super::quote::{escaped, quoted};
use super::{Expr, Key, Query, Term, Test};

impl Display for Query {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        Display::fmt(&self.root, f)
    }
}

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::All(parts) => joined(parts, " ", |part| matches!(part, Self::Any(_)), f),
            Self::Any(parts) => joined(parts, " OR ", |_| false, f),
            Self::Not(part) => {
                f.write_str("-")?;
                bracketed(part, matches!(**part, Self::All(_) | Self::Any(_)), f)
            }
            Self::Term(term) => Display::fmt(term, f),
        }
    }
}

fn joined(parts: &[Expr], between: &str, brackets: fn(&Expr) -> bool, f: &mut Formatter<'_>) -> Result {
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            f.write_str(between)?;
        }
        bracketed(part, brackets(part), f)?;
    }
    Ok(())
}

fn bracketed(part: &Expr, brackets: bool, f: &mut Formatter<'_>) -> Result {
    if brackets { write!(f, "({part})") } else { Display::fmt(part, f) }
}

impl Display for Term {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let separator = if matches!(self.test, Test::Exactly(_)) { "=" } else { ":" };
        if self.key != Key::Word {
            let mut name = String::new();
            self.key.write(&mut name)?;
            quoted(&escaped(&name), f)?;
            f.write_str(separator)?;
        }
        match &self.test {
            Test::Exists => f.write_str("*"),
            Test::Like(patterns) => listed(patterns, f, |pattern, f| pattern.write(f)),
            Test::Exactly(values) => listed(values, f, |value, f| quoted(&escaped(value), f)),
            Test::Version(comparison, version) => {
                f.write_str(comparison.as_str())?;
                quoted(&escaped(version.as_str()), f)
            }
            Test::Age(comparison, age) => {
                f.write_str(comparison.as_str())?;
                let milliseconds = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
                let whole = |(_, unit): &&(&str, u64)| milliseconds % unit == 0;
                let (name, unit) = UNITS.iter().find(whole).copied().unwrap_or(("ms", 1));
                write!(f, "{}{name}", milliseconds / unit)
            }
        }
    }
}

fn listed<T>(values: &[T], f: &mut Formatter<'_>, write: fn(&T, &mut Formatter<'_>) -> Result) -> Result {
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            f.write_str(",")?;
        }
        write(value, f)?;
    }
    Ok(())
}
