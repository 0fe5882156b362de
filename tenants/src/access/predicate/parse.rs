//! Reads a predicate as people write it, and checks that every column exists and fits its test.
//!
//! ```text
//! any   = all { "or" all }
//! all   = one { "and" one }
//! one   = "not" one | "(" any ")" | "all" | "user.break_glass" | column [ test ]
//! test  = "=" value | "in" "[" value { "," value } "]" | "within" "user.units" | "contains" "user.id" | "is" "missing"
//! value = "text in quotes" | number
//! ```

use uuid::Uuid;

use super::{Column, Predicate, Value};
use crate::{
    access::{ColumnType, Object},
    errors::ErrorKind,
};

/// Characters of a predicate at most.
pub const MAX_CHARACTERS: usize = 2_000;
/// Brackets and negations within each other.
const MAX_DEPTH: usize = 16;
/// Values of one list.
const MAX_VALUES: usize = 100;

/// What is wrong about a predicate, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("at character {at}: {problem}")]
pub struct PredicateError {
    /// Counted from 1.
    pub at: usize,
    /// In words, with what to do.
    pub problem: String,
}

impl PredicateError {
    /// What the error means to a caller.
    pub const fn kind(&self) -> ErrorKind {
        ErrorKind::BadInput
    }
}

impl Predicate {
    /// Reads the predicate of a policy on an object.
    ///
    /// # Errors
    /// [`PredicateError`] naming the character and what was expected there.
    pub fn parse(object: Object, text: &str) -> Result<Self, PredicateError> {
        if text.chars().count() > MAX_CHARACTERS {
            let problem = format!("a predicate has at most {MAX_CHARACTERS} characters");
            return Err(PredicateError { at: MAX_CHARACTERS, problem });
        }
        let tokens = tokens(text)?;
        let mut parser = Parser { object, tokens: &tokens, next: 0, end: text.chars().count() + 1 };
        let predicate = parser.any(0)?;
        match parser.peek() {
            None => Ok(predicate),
            Some(token) => {
                Err(parser.error(format!("expected \"and\", \"or\" or the end, not {}", token.words())))
            }
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    Text(String),
    Number(i64),
    Mark(char),
}

impl Token {
    fn words(&self) -> String {
        match self {
            Self::Word(word) => format!("{word:?}"),
            Self::Text(text) => format!("the text {text:?}"),
            Self::Number(number) => format!("the number {number}"),
            Self::Mark(mark) => format!("{mark:?}"),
        }
    }
}

fn tokens(text: &str) -> Result<Vec<(usize, Token)>, PredicateError> {
    let characters: Vec<char> = text.chars().collect();
    let error = |at: usize, problem: &str| PredicateError { at: at + 1, problem: problem.to_owned() };
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(&character) = characters.get(at) {
        let begin = at;
        let run = |from: usize, fits: fn(char) -> bool| {
            characters.iter().skip(from).take_while(|c| fits(**c)).count() + from
        };
        let token = match character {
            ' ' | '\t' | '\n' | '\r' => {
                at += 1;
                continue;
            }
            '(' | ')' | '[' | ']' | ',' | '=' => {
                at += 1;
                Token::Mark(character)
            }
            '"' => {
                let mut value = String::new();
                at += 1;
                loop {
                    match (characters.get(at), characters.get(at + 1)) {
                        (None, _) => return Err(error(begin, "the text has no closing quotation mark")),
                        (Some('"'), _) => break,
                        (Some('\\'), Some(&escaped @ ('"' | '\\'))) => {
                            value.push(escaped);
                            at += 2;
                        }
                        (Some('\\'), _) => {
                            return Err(error(at, "after \\ only \" and \\ may stand"));
                        }
                        (Some(&character), _) => {
                            value.push(character);
                            at += 1;
                        }
                    }
                }
                at += 1;
                Token::Text(value)
            }
            '-' | '0'..='9' => {
                at = run(at + 1, |c| c.is_ascii_digit());
                let digits: String = characters.iter().skip(begin).take(at - begin).collect();
                let number =
                    digits.parse().map_err(|_| error(begin, "not a whole number that fits 64 bits"))?;
                Token::Number(number)
            }
            'a'..='z' | 'A'..='Z' => {
                at = run(at, |c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_'));
                Token::Word(characters.iter().skip(begin).take(at - begin).collect())
            }
            other => return Err(error(begin, &format!("{other:?} has no meaning here"))),
        };
        found.push((begin + 1, token));
    }
    Ok(found)
}

struct Parser<'a> {
    object: Object,
    tokens: &'a [(usize, Token)],
    next: usize,
    end: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|(_, token)| token)
    }

    fn error(&self, problem: impl Into<String>) -> PredicateError {
        let at = self.tokens.get(self.next).map_or(self.end, |(at, _)| *at);
        PredicateError { at, problem: problem.into() }
    }

    fn takes(&mut self, token: &Token) -> bool {
        let there = self.peek() == Some(token);
        self.next += usize::from(there);
        there
    }

    fn takes_word(&mut self, word: &str) -> bool {
        self.takes(&Token::Word(word.to_owned()))
    }

    fn expects(&mut self, token: &Token) -> Result<(), PredicateError> {
        if self.takes(token) { Ok(()) } else { Err(self.error(format!("expected {}", token.words()))) }
    }

    fn any(&mut self, depth: usize) -> Result<Predicate, PredicateError> {
        let mut parts = vec![self.all(depth)?];
        while self.takes_word("or") {
            parts.push(self.all(depth)?);
        }
        Ok(single(parts, Predicate::Or))
    }

    fn all(&mut self, depth: usize) -> Result<Predicate, PredicateError> {
        let mut parts = vec![self.one(depth)?];
        while self.takes_word("and") {
            parts.push(self.one(depth)?);
        }
        Ok(single(parts, Predicate::And))
    }

    fn one(&mut self, depth: usize) -> Result<Predicate, PredicateError> {
        if depth >= MAX_DEPTH {
            return Err(self.error(format!("brackets and \"not\" stand at most {MAX_DEPTH} deep")));
        }
        if self.takes_word("not") {
            return Ok(Predicate::Not(Box::new(self.one(depth + 1)?)));
        }
        if self.takes(&Token::Mark('(')) {
            let inner = self.any(depth + 1)?;
            self.expects(&Token::Mark(')'))?;
            return Ok(inner);
        }
        if self.takes_word("all") {
            return Ok(Predicate::All);
        }
        if self.takes_word("user.break_glass") {
            return if Column::testable(self.object).contains(&Column::PatientId) {
                Ok(Predicate::BreakGlass)
            } else {
                self.next -= 1;
                Err(self.error(format!("a {} is about no patient", self.object)))
            };
        }
        let column = self.column()?;
        self.test(column)
    }

    fn column(&mut self) -> Result<Column, PredicateError> {
        let known = Column::testable(self.object);
        let named = match self.peek() {
            Some(Token::Word(word)) => Column::parse(word).filter(|column| known.contains(column)),
            _ => None,
        };
        if let Some(column) = named {
            self.next += 1;
            return Ok(column);
        }
        let found = self.peek().map_or_else(|| "the end".to_owned(), Token::words);
        let object = self.object;
        if known.is_empty() {
            return Err(self.error(format!("a {object} has no columns to test: write \"all\", not {found}")));
        }
        let names = known.iter().map(|column| column.as_str()).collect::<Vec<_>>().join(", ");
        Err(self.error(format!("expected a column of a {object} ({names}), not {found}")))
    }

    fn test(&mut self, column: Column) -> Result<Predicate, PredicateError> {
        if self.takes_word("is") {
            self.expects(&Token::Word("missing".to_owned()))?;
            return Ok(Predicate::Missing(column));
        }
        if self.takes(&Token::Mark('=')) {
            return Ok(Predicate::Equals(column, self.value(column)?));
        }
        if self.takes_word("in") {
            return Ok(Predicate::In(column, self.values(column)?));
        }
        let needs = |parser: &mut Self, kind: ColumnType, operand: &str| {
            if column.kind() != kind {
                parser.next -= 1;
                let found = column.kind().in_words();
                return Err(parser.error(format!("{column} is {found}, but this needs {}", kind.in_words())));
            }
            parser.expects(&Token::Word(operand.to_owned()))
        };
        if self.takes_word("within") {
            needs(self, ColumnType::Unit, "user.units")?;
            return Ok(Predicate::Within(column));
        }
        if self.takes_word("contains") {
            needs(self, ColumnType::Users, "user.id")?;
            return Ok(Predicate::Contains(column));
        }
        if column.kind() == ColumnType::Flag {
            return Ok(Predicate::Is(column));
        }
        let tests = match column.kind() {
            ColumnType::Unit => "\"within user.units\"",
            ColumnType::Users => "\"contains user.id\"",
            _ => "\"=\" or \"in\"",
        };
        Err(self.error(format!("expected {tests} or \"is missing\" after {column}")))
    }

    fn values(&mut self, column: Column) -> Result<Vec<Value>, PredicateError> {
        self.expects(&Token::Mark('['))?;
        let mut values = vec![self.value(column)?];
        while self.takes(&Token::Mark(',')) {
            if values.len() == MAX_VALUES {
                return Err(self.error(format!("a list has at most {MAX_VALUES} values")));
            }
            values.push(self.value(column)?);
        }
        self.expects(&Token::Mark(']'))?;
        Ok(values)
    }

    fn value(&mut self, column: Column) -> Result<Value, PredicateError> {
        let value = match (column.kind(), self.peek()) {
            (ColumnType::Text, Some(Token::Text(text))) => Some(Value::Text(text.clone())),
            (ColumnType::Number, Some(Token::Number(number))) => Some(Value::Number(*number)),
            (ColumnType::Patient, Some(Token::Text(text))) => Uuid::parse_str(text).ok().map(Value::Patient),
            (ColumnType::Flag | ColumnType::Unit | ColumnType::Users, _) => {
                let problem =
                    format!("{column} is {}, which is not compared with a value", column.kind().in_words());
                return Err(self.error(problem));
            }
            _ => None,
        };
        let expected = match column.kind() {
            ColumnType::Number => "a whole number",
            ColumnType::Patient => "a patient's id (a UUID) in quotation marks",
            _ => "a text in quotation marks",
        };
        let value = value.ok_or_else(|| self.error(format!("expected {expected} for {column}")))?;
        self.next += 1;
        Ok(value)
    }
}

fn single(mut parts: Vec<Predicate>, many: fn(Vec<Predicate>) -> Predicate) -> Predicate {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        last => {
            parts.extend(last);
            many(parts)
        }
    }
}
