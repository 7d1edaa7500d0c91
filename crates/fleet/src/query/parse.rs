//! From tokens to what is asked.

use std::time::Duration;

use super::key::{self, Key};
use super::lex::{At, Mark, Placed, Token, lex, wrong};
use super::pattern::Pattern;
use super::version::Version;
use super::{Comparison, Expr, MAX_DEPTH, MAX_QUERY_BYTES, MAX_VALUES, QueryError, Term, Test};

pub(super) fn parse(text: &str) -> Result<Expr, QueryError> {
    if text.len() > MAX_QUERY_BYTES {
        let message = format!("the query is longer than {MAX_QUERY_BYTES} bytes");
        return Err(wrong(MAX_QUERY_BYTES, 0, message));
    }
    let tokens = lex(text)?;
    let mut parser = Parser { tokens: &tokens, next: 0, end: text.chars().count() + 1, values: 0 };
    if tokens.is_empty() {
        return Ok(Expr::All(Vec::new()));
    }
    let root = parser.either(0)?;
    match parser.peek() {
        None => Ok(root),
        Some((at, _)) => Err(wrong(*at, 1, "this bracket closes nothing")),
    }
}

struct Parser<'a> {
    tokens: &'a [At],
    next: usize,
    /// Where the text ends.
    end: usize,
    values: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a At> {
        self.tokens.get(self.next)
    }

    fn here(&self) -> usize {
        self.peek().map_or(self.end, |(at, _)| *at)
    }

    fn take(&mut self, token: &Token) -> bool {
        let is = self.peek().is_some_and(|(_, next)| next == token);
        self.next += usize::from(is);
        is
    }

    fn either(&mut self, depth: usize) -> Result<Expr, QueryError> {
        let mut parts = vec![self.both(depth)?];
        while self.take(&Token::Or) {
            parts.push(self.both(depth)?);
        }
        Ok(Expr::any(parts))
    }

    fn both(&mut self, depth: usize) -> Result<Expr, QueryError> {
        let mut parts = vec![self.one(depth)?];
        loop {
            let told = self.take(&Token::And);
            match self.peek() {
                None | Some((_, Token::Close | Token::Or)) if !told => return Ok(Expr::all(parts)),
                _ => parts.push(self.one(depth)?),
            }
        }
    }

    fn one(&mut self, depth: usize) -> Result<Expr, QueryError> {
        let at = self.here();
        if depth >= MAX_DEPTH {
            return Err(wrong(at, 1, format!("the query nests deeper than {MAX_DEPTH} levels")));
        }
        let Some((_, token)) = self.peek() else {
            return Err(wrong(at, 0, "a term must follow"));
        };
        self.next += 1;
        match token {
            Token::Minus if self.here() == at + 1 => self.one(depth + 1).map(Expr::not),
            Token::Minus => Err(wrong(at, 1, "a term must follow this minus, with no space between")),
            Token::Not => self.one(depth + 1).map(Expr::not),
            Token::Open => {
                let inner = self.either(depth + 1)?;
                if self.take(&Token::Close) {
                    Ok(inner)
                } else {
                    Err(wrong(at, 1, "this bracket is never closed"))
                }
            }
            Token::Close => Err(wrong(at, 1, "a term must stand before this bracket")),
            Token::And | Token::Or => {
                Err(wrong(at, 2, "AND and OR stand between two terms; quote them to search for the word"))
            }
            Token::Word(word) => {
                let negated = at > 1
                    && matches!(
                        self.tokens.get(self.next.wrapping_sub(2)),
                        Some((_, Token::Minus | Token::Not))
                    );
                self.term(word, negated)
            }
        }
    }

    /// One term; after a minus a key without a value asks whether there is one.
    fn term(&mut self, word: &[Placed], negated: bool) -> Result<Expr, QueryError> {
        let separator = |(_, mark): &Placed| matches!(mark, Mark::Plain(':' | '='));
        let Some(split) = word.iter().position(separator) else {
            let pattern = Pattern::part(word);
            self.count(word, 1)?;
            let test = if pattern.is_any() { Test::Exists } else { Test::Like(vec![pattern]) };
            return Ok(Expr::Term(Term { key: Key::Word, test }));
        };
        let (name, rest) = word.split_at(split);
        let Some(((at, separator), value)) = rest.split_first() else {
            return Err(wrong(self.end, 0, "a term must follow"));
        };
        let start = name.first().map_or(*at, |(at, _)| *at);
        let key = Key::read(&text(name)).map_err(|unknown| QueryError {
            position: start,
            length: name.len(),
            message: unknown.message,
            hint: unknown.hint,
        })?;
        let test = match separator {
            _ if value.is_empty() && negated => Test::Exists,
            _ if value.is_empty() => {
                let message = format!("a value must follow {key}; {key}:* says any, -{key}: says none");
                return Err(wrong(start, name.len() + 1, message));
            }
            Mark::Plain('=') => self.exactly(value)?,
            _ => self.like(&key, value)?,
        };
        check(&key, &test, start, word.len(), value)?;
        Ok(Expr::Term(Term { key, test }))
    }

    fn count(&mut self, value: &[Placed], values: usize) -> Result<(), QueryError> {
        self.values += values;
        let at = value.first().map_or(self.end, |(at, _)| *at);
        if self.values > MAX_VALUES {
            return Err(wrong(at, value.len(), format!("the query has more than {MAX_VALUES} values")));
        }
        Ok(())
    }

    fn exactly(&mut self, value: &[Placed]) -> Result<Test, QueryError> {
        let parts = self.parts(value)?;
        Ok(Test::Exactly(parts.into_iter().map(|part| text(part).into()).collect()))
    }

    fn like(&mut self, key: &Key, value: &[Placed]) -> Result<Test, QueryError> {
        if let Some((comparison, bound)) = comparison(value) {
            self.count(value, 1)?;
            return bounded(key, comparison, bound, value);
        }
        let parts = self.parts(value)?;
        let make = if key.takes_parts() { Pattern::part } else { Pattern::whole };
        let patterns: Vec<_> = parts.into_iter().map(make).collect();
        Ok(if patterns.iter().any(Pattern::is_any) { Test::Exists } else { Test::Like(patterns) })
    }

    /// Takes a value apart at its commas.
    fn parts<'v>(&mut self, value: &'v [Placed]) -> Result<Vec<&'v [Placed]>, QueryError> {
        let parts: Vec<_> = value.split(|(_, mark)| *mark == Mark::Plain(',')).collect();
        self.count(value, parts.len())?;
        match parts.iter().position(|part| part.is_empty()) {
            None => Ok(parts),
            Some(_) => {
                let at = value.first().map_or(self.end, |(at, _)| *at);
                Err(wrong(at, value.len(), "a value is missing beside a comma; quote a comma that is meant"))
            }
        }
    }
}

/// Checks that the key can be asked this.
fn check(key: &Key, test: &Test, at: usize, length: usize, value: &[Placed]) -> Result<(), QueryError> {
    if key.is_time() && !matches!(test, Test::Exists | Test::Age(..)) {
        let message = format!("{key} is compared by its age");
        let hint = Some(format!("{key}:>{0} (longer ago) or {key}:<{0} (since)", text(value)));
        return Err(QueryError { position: at, length, message, hint });
    }
    let Some(words) = key.words() else { return Ok(()) };
    let odd = match test {
        Test::Exists | Test::Version(..) | Test::Age(..) => None,
        Test::Like(patterns) => patterns
            .iter()
            .find(|pattern| !words.iter().any(|word| pattern.matches(word)))
            .map(ToString::to_string),
        Test::Exactly(values) => {
            values.iter().find(|value| !words.contains(&&***value)).map(ToString::to_string)
        }
    };
    let Some(odd) = odd else { return Ok(()) };
    let message = format!("{key} is never {odd:?}; it is one of {}", words.join(", "));
    let hint = key::nearest(&odd, words).map(|word| format!("{key}:{word}"));
    Err(QueryError { position: at, length, message, hint })
}

/// The comparison that a value starts with, and what follows it.
fn comparison(value: &[Placed]) -> Option<(Comparison, &[Placed])> {
    let ((_, first), rest) = value.split_first()?;
    let or_equal = matches!(rest.first(), Some((_, Mark::Plain('='))));
    let comparison = match (first, or_equal) {
        (Mark::Plain('<'), false) => Comparison::Less,
        (Mark::Plain('<'), true) => Comparison::AtMost,
        (Mark::Plain('>'), false) => Comparison::More,
        (Mark::Plain('>'), true) => Comparison::AtLeast,
        _ => return None,
    };
    Some((comparison, if or_equal { rest.get(1..).unwrap_or_default() } else { rest }))
}

fn bounded(
    key: &Key,
    comparison: Comparison,
    bound: &[Placed],
    value: &[Placed],
) -> Result<Test, QueryError> {
    let at = value.first().map_or(1, |(at, _)| *at);
    let error = |message: String| wrong(at, value.len(), message);
    let text = text(bound);
    if key.is_time() {
        let wrong = || error(format!("{text:?} is no age; write it as 90s, 10m, 2h, 3d or 1w"));
        return Ok(Test::Age(comparison, age(&text).ok_or_else(wrong)?));
    }
    if !key.is_ordered() {
        let message =
            format!("{key} has no order; compare version, attr.NAME, label.KEY, first_seen or last_seen");
        return Err(error(message));
    }
    let wrong = || error(format!("{text:?} is no version or number such as 3.2, v3.2.1-rc1 or 8"));
    Ok(Test::Version(comparison, Version::read(&text).ok_or_else(wrong)?))
}

/// The units of ages, largest first, in milliseconds.
pub(super) const UNITS: [(&str, u64); 6] =
    [("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

fn age(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let (_, milliseconds) = UNITS.iter().find(|(name, _)| *name == unit)?;
    number.parse::<u64>().ok()?.checked_mul(*milliseconds).map(Duration::from_millis)
}

fn text(marks: &[Placed]) -> String {
    marks
        .iter()
        .filter_map(|(_, mark)| match mark {
            Mark::Plain(character) | Mark::Quoted(character) | Mark::Escaped(character) => Some(*character),
            Mark::Quote => None,
        })
        .collect()
}
