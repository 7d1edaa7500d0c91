//! From text to tokens, each with the place where it stands.

use std::iter::Peekable;

use super::QueryError;

/// A character of a word, and how it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// As it is.
    Plain(char),
    /// Between quotes: no separator, but a star is one.
    Quoted(char),
    /// After a backslash: nothing but itself.
    Escaped(char),
    /// A quote was opened here, so that there is a value even if nothing follows.
    Quote,
}

/// A mark and its place, in characters from 1.
pub(super) type Placed = (usize, Mark);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Open,
    Close,
    Minus,
    Not,
    And,
    Or,
    Word(Vec<Placed>),
}

/// A token and the character at which it starts, from 1.
pub(super) type At = (usize, Token);

pub(super) fn lex(text: &str) -> Result<Vec<At>, QueryError> {
    let mut tokens = Vec::new();
    let mut characters = text.chars().zip(1..).peekable();
    while let Some((character, at)) = characters.next() {
        match character {
            _ if character.is_whitespace() => {}
            '(' => tokens.push((at, Token::Open)),
            ')' => tokens.push((at, Token::Close)),
            '-' => tokens.push((at, Token::Minus)),
            _ => {
                let mut word = Vec::new();
                mark(&mut word, character, at, &mut characters)?;
                while let Some((next, at)) = characters.next_if(|(next, _)| !ends_word(*next)) {
                    mark(&mut word, next, at, &mut characters)?;
                }
                tokens.push((at, keyword(&word).unwrap_or(Token::Word(word))));
            }
        }
    }
    Ok(tokens)
}

fn ends_word(character: char) -> bool {
    character.is_whitespace() || matches!(character, '(' | ')')
}

/// Adds what `character` starts to a word: itself, an escaped character, or all that stands between quotes.
fn mark(
    word: &mut Vec<Placed>,
    character: char,
    at: usize,
    rest: &mut Peekable<impl Iterator<Item = (char, usize)>>,
) -> Result<(), QueryError> {
    match character {
        '\\' => word.push((at, escaped(rest).unwrap_or(Mark::Plain('\\')))),
        '"' => {
            word.push((at, Mark::Quote));
            loop {
                match rest.next() {
                    Some(('"', _)) => return Ok(()),
                    Some(('\\', at)) => word.push((at, escaped(rest).unwrap_or(Mark::Quoted('\\')))),
                    Some((inside, at)) => word.push((at, Mark::Quoted(inside))),
                    None => return Err(wrong(at, 1, "this quote is never closed")),
                }
            }
        }
        plain => word.push((at, Mark::Plain(plain))),
    }
    Ok(())
}

/// What a backslash takes the meaning away from; before anything else it is itself.
fn escaped(rest: &mut Peekable<impl Iterator<Item = (char, usize)>>) -> Option<Mark> {
    rest.next_if(|(next, _)| matches!(next, '"' | '*' | '\\')).map(|(next, _)| Mark::Escaped(next))
}

fn keyword(word: &[Placed]) -> Option<Token> {
    let is = |text: &str| {
        word.len() == text.len()
            && word.iter().zip(text.chars()).all(|((_, mark), character)| *mark == Mark::Plain(character))
    };
    [("AND", Token::And), ("OR", Token::Or), ("NOT", Token::Not)]
        .into_iter()
        .find_map(|(text, token)| is(text).then_some(token))
}

pub(super) fn wrong(position: usize, length: usize, message: impl Into<String>) -> QueryError {
    QueryError { position, length, message: message.into(), hint: None }
}
