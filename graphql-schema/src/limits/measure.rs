//! How large a parsed document is with its fragments written out, without writing them out: each fragment
//! is measured once.

use std::collections::HashMap;

use async_graphql::{
    Name, Positioned,
    parser::types::{ExecutableDocument, Field, Selection, SelectionSet},
};

/// Lists of the schema's own description that refer back to types. Two within each other are what tools
/// ask for; more multiply into millions of entries.
const DESCRIBING_LISTS: [&str; 4] = ["fields", "inputFields", "interfaces", "possibleTypes"];

/// The size of a selection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Size {
    /// Fields in all.
    pub(super) fields: usize,
    /// Those with an alias.
    pub(super) aliases: usize,
    /// Fields within fields, outside introspection.
    pub(super) depth: usize,
    /// Fields within fields below `__schema` and `__type`.
    pub(super) introspection_depth: usize,
    /// Describing lists within each other.
    pub(super) describing_lists: usize,
}

/// Selections within selections, fragments written out. Walking them is recursive; what is sensible has
/// a depth of 20, and 64 levels fit the smallest stack that the server runs on.
const MAX_LEVELS: usize = 64;

/// Why a document has no size.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Endless {
    /// A fragment contains itself.
    Cycle(Name),
    /// More selections within selections than are walked.
    TooDeep,
}

impl Size {
    fn beside(self, other: Self) -> Self {
        Self {
            fields: self.fields.saturating_add(other.fields),
            aliases: self.aliases.saturating_add(other.aliases),
            depth: self.depth.max(other.depth),
            introspection_depth: self.introspection_depth.max(other.introspection_depth),
            describing_lists: self.describing_lists.max(other.describing_lists),
        }
    }

    fn within(self, field: &Field) -> Self {
        let name = field.name.node.as_str();
        let introspects = matches!(name, "__schema" | "__type");
        Self {
            fields: self.fields.saturating_add(1),
            aliases: self.aliases.saturating_add(usize::from(field.alias.is_some())),
            depth: if introspects { 1 } else { self.depth + 1 },
            introspection_depth: if introspects { self.depth + 1 } else { self.introspection_depth },
            describing_lists: self.describing_lists + usize::from(DESCRIBING_LISTS.contains(&name)),
        }
    }
}

/// The size of a document: of all its operations together, of which one will run.
pub(super) fn measure(document: &ExecutableDocument) -> Result<Size, Endless> {
    let mut measuring = Measuring { document, fragments: HashMap::new(), level: 0 };
    let mut size = Size::default();
    for (_, operation) in document.operations.iter() {
        size = size.beside(measuring.selection(&operation.node.selection_set)?);
    }
    // Fragments that no operation uses are walked by validation, too.
    for name in document.fragments.keys() {
        measuring.fragment(name)?;
    }
    Ok(size)
}

struct Measuring<'d> {
    document: &'d ExecutableDocument,
    /// `None` while a fragment is being measured.
    fragments: HashMap<&'d Name, Option<Size>>,
    level: usize,
}

impl<'d> Measuring<'d> {
    fn selection(&mut self, set: &'d Positioned<SelectionSet>) -> Result<Size, Endless> {
        self.level += 1;
        if self.level > MAX_LEVELS {
            return Err(Endless::TooDeep);
        }
        let mut size = Size::default();
        for selection in &set.node.items {
            let part = match &selection.node {
                Selection::Field(field) => self.selection(&field.node.selection_set)?.within(&field.node),
                Selection::InlineFragment(inline) => self.selection(&inline.node.selection_set)?,
                Selection::FragmentSpread(spread) => self.fragment(&spread.node.fragment_name.node)?,
            };
            size = size.beside(part);
        }
        self.level -= 1;
        Ok(size)
    }

    fn fragment(&mut self, name: &Name) -> Result<Size, Endless> {
        // One that does not exist is refused by validation, in better words.
        let Some((name, fragment)) = self.document.fragments.get_key_value(name) else {
            return Ok(Size::default());
        };
        match self.fragments.insert(name, None) {
            Some(None) => return Err(Endless::Cycle(name.clone())),
            Some(Some(known)) => {
                self.fragments.insert(name, Some(known));
                return Ok(known);
            }
            None => {}
        }
        let size = self.selection(&fragment.node.selection_set)?;
        self.fragments.insert(name, Some(size));
        Ok(size)
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    fn size(document: &str) -> Result<Size, Endless> {
        measure(&parse_query(document).unwrap())
    }

    #[test]
    fn fragments_count_as_often_as_they_are_used() {
        let plain = size("{ a { b c { d } } }").unwrap();
        assert_eq!((plain.fields, plain.depth, plain.aliases), (4, 3, 0));
        let used_twice = size("{ ...A x: a { ...A } } fragment A on Q { y: b c { d } }").unwrap();
        assert_eq!((used_twice.fields, used_twice.depth, used_twice.aliases), (7, 3, 3));
        let inline = size("{ a { ... on B { b { c } } ... { d } } }").unwrap();
        assert_eq!((inline.fields, inline.depth), (4, 3));
    }

    #[test]
    fn fragments_that_double_each_other_are_measured_at_once() {
        let mut document = String::from("{ ...F0 }");
        for n in 0..30 {
            document.push_str(&format!(
                " fragment F{n} on Q {{ a {{ ...F{next} }} b {{ ...F{next} }} }}",
                next = n + 1
            ));
        }
        document.push_str(" fragment F30 on Q { a }");
        let size = size(&document).unwrap();
        assert_eq!(size.depth, 31);
        assert_eq!(size.fields, (1 << 32) - 2 - (1 << 30));
    }

    #[test]
    fn a_fragment_that_contains_itself_is_found_wherever_it_is() {
        for document in [
            "{ ...A } fragment A on Q { a { ...A } }",
            "{ ...A } fragment A on Q { ...B } fragment B on Q { ...A ...A }",
            "{ a } fragment A on Q { ...B } fragment B on Q { ...A }",
        ] {
            assert!(size(document).is_err(), "{document}");
        }
        assert!(size("{ ...A ...A ...Unknown } fragment A on Q { a }").is_ok());
    }

    #[test]
    fn selections_that_would_exhaust_the_stack_are_not_walked() {
        let chain = |length: usize| {
            let mut document = String::from("{ ...F0 }");
            for n in 0..length {
                document.push_str(&format!(" fragment F{n} on Q {{ ... {{ a }} ...F{} }}", n + 1));
            }
            document.push_str(&format!(" fragment F{length} on Q {{ a }}"));
            document
        };
        assert!(size(&chain(50)).is_ok());
        assert_eq!(size(&chain(200)), Err(Endless::TooDeep));
    }

    #[test]
    fn introspection_has_its_own_depth() {
        let size = size("{ a { b } __schema { types { fields { type { fields { name } } } } } }").unwrap();
        assert_eq!((size.depth, size.introspection_depth, size.describing_lists), (2, 6, 2));
    }
}
