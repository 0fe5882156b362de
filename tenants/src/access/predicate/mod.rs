//! Which rows a policy covers, as data: storage turns it into a condition, memory checks it directly, and both
//! must agree. Logic has three values, as in SQL: a column without a value makes its test unknown, and a row
//! whose test is unknown is not covered, neither by it nor by its negation.

mod parse;
#[cfg(test)]
mod tests;

use std::fmt;

use uuid::Uuid;

pub use self::parse::{MAX_CHARACTERS, PredicateError};
use super::{Column, Subject};
use crate::ids::{UnitId, UserId};

/// A condition on a row and on the user who asks for it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Predicate {
    /// Every row.
    All,
    /// The column has this value.
    Equals(Column, Value),
    /// The column has one of these values, of which there is at least one.
    In(Column, Vec<Value>),
    /// The column, a flag, is set.
    Is(Column),
    /// The column has no value. Never unknown.
    Missing(Column),
    /// The unit is one of the user's, or below one of them.
    Within(Column),
    /// The user is among the users of the column.
    Contains(Column),
    /// The user has opened the row's patient in an emergency.
    BreakGlass,
    /// The opposite; unknown stays unknown.
    Not(Box<Predicate>),
    /// All of them.
    And(Vec<Predicate>),
    /// Any of them.
    Or(Vec<Predicate>),
}

/// A value that a column is compared with.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Value {
    /// Of a text column.
    Text(String),
    /// Of a number column.
    Number(i64),
    /// Of a patient column.
    Patient(Uuid),
}

/// A column's value in a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell<'a> {
    /// Of a text column.
    Text(&'a str),
    /// Of a number column.
    Number(i64),
    /// Of a flag.
    Flag(bool),
    /// Of a patient column.
    Patient(Uuid),
    /// Of a unit column.
    Unit(UnitId),
    /// Of a users column.
    Users(&'a [UserId]),
}

impl Cell<'_> {
    fn is(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::Text(cell), Value::Text(value)) => cell == value,
            (Self::Number(cell), Value::Number(value)) => cell == value,
            (Self::Patient(cell), Value::Patient(value)) => cell == value,
            _ => false,
        }
    }
}

impl Predicate {
    /// Both of them, without saying "all" needlessly.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::All, other) | (other, Self::All) => other,
            (one, other) => Self::And(vec![one, other]),
        }
    }

    /// Whether a row is covered; `None` when that is unknown, which covers nothing. `row` gives the row's
    /// values; a column that the row does not have has none.
    pub fn evaluate<'a>(&self, subject: &Subject, row: &dyn Fn(Column) -> Option<Cell<'a>>) -> Option<bool> {
        self.evaluate_partly(subject, &|column| Some(row(column)))
    }

    /// The same when only some columns are known: `row` gives `None` for those that are not. What it answers
    /// holds whatever stands in them.
    pub fn evaluate_partly<'a>(
        &self,
        subject: &Subject,
        row: &dyn Fn(Column) -> Option<Option<Cell<'a>>>,
    ) -> Option<bool> {
        match self {
            Self::All => Some(true),
            Self::Equals(column, value) => Some(row(*column)??.is(value)),
            Self::In(column, values) => {
                let cell = row(*column)??;
                Some(values.iter().any(|value| cell.is(value)))
            }
            Self::Is(column) => match row(*column)?? {
                Cell::Flag(set) => Some(set),
                _ => None,
            },
            Self::Missing(column) => row(*column).map(|cell| cell.is_none()),
            Self::Within(column) => match row(*column)?? {
                Cell::Unit(unit) => Some(subject.covers(unit)),
                _ => None,
            },
            Self::Contains(column) => match row(*column)?? {
                Cell::Users(users) => Some(users.contains(&subject.user())),
                _ => None,
            },
            Self::BreakGlass => match row(Column::PatientId)?? {
                Cell::Patient(patient) => Some(subject.opened(patient)),
                _ => None,
            },
            Self::Not(inner) => inner.evaluate_partly(subject, row).map(|covered| !covered),
            Self::And(all) => kleene(all.iter().map(|part| part.evaluate_partly(subject, row)), false),
            Self::Or(any) => kleene(any.iter().map(|part| part.evaluate_partly(subject, row)), true),
        }
    }

    /// Whether it asks if the user has opened the record in an emergency.
    pub fn breaks_glass(&self) -> bool {
        match self {
            Self::BreakGlass => true,
            Self::Not(inner) => inner.breaks_glass(),
            Self::And(parts) | Self::Or(parts) => parts.iter().any(Self::breaks_glass),
            _ => false,
        }
    }

    /// The columns that it tests.
    pub fn columns(&self) -> Vec<Column> {
        match self {
            Self::All => Vec::new(),
            Self::BreakGlass => vec![Column::PatientId],
            Self::Equals(column, _)
            | Self::In(column, _)
            | Self::Is(column)
            | Self::Missing(column)
            | Self::Within(column)
            | Self::Contains(column) => vec![*column],
            Self::Not(inner) => inner.columns(),
            Self::And(parts) | Self::Or(parts) => parts.iter().flat_map(Self::columns).collect(),
        }
    }
}

/// Any `decisive` part decides; else one unknown part makes the whole unknown.
fn kleene(parts: impl Iterator<Item = Option<bool>>, decisive: bool) -> Option<bool> {
    let mut unknown = false;
    for part in parts {
        match part {
            Some(part) if part == decisive => return Some(decisive),
            Some(_) => {}
            None => unknown = true,
        }
    }
    (!unknown).then_some(!decisive)
}

/// As it is written in a policy; what is written is read back as the same.
impl fmt::Display for Predicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, parts: &[Self], word| {
            for (n, part) in parts.iter().enumerate() {
                if n > 0 {
                    write!(f, " {word} ")?;
                }
                match part {
                    Self::And(_) | Self::Or(_) => write!(f, "({part})")?,
                    _ => write!(f, "{part}")?,
                }
            }
            Ok(())
        };
        match self {
            Self::All => f.write_str("all"),
            Self::Equals(column, value) => write!(f, "{column} = {value}"),
            Self::In(column, values) => {
                write!(f, "{column} in [")?;
                for (n, value) in values.iter().enumerate() {
                    write!(f, "{}{value}", if n > 0 { ", " } else { "" })?;
                }
                f.write_str("]")
            }
            Self::Is(column) => write!(f, "{column}"),
            Self::Missing(column) => write!(f, "{column} is missing"),
            Self::Within(column) => write!(f, "{column} within user.units"),
            Self::Contains(column) => write!(f, "{column} contains user.id"),
            Self::BreakGlass => f.write_str("user.break_glass"),
            Self::Not(inner) => match **inner {
                Self::And(_) | Self::Or(_) => write!(f, "not ({inner})"),
                _ => write!(f, "not {inner}"),
            },
            Self::And(parts) => list(f, parts, "and"),
            Self::Or(parts) => list(f, parts, "or"),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
            Self::Number(number) => write!(f, "{number}"),
            Self::Patient(id) => write!(f, "\"{id}\""),
        }
    }
}
