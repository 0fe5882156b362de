//! What kinds of devices there are.

use async_graphql::{ID, SimpleObject};

/// A kind of device: what devices of it measure, and in which units.
#[derive(SimpleObject)]
pub(crate) struct Template {
    /// A Digital Twin Model Identifier (DTMI).
    id: ID,
    name: String,
}

impl From<&templates::Template> for Template {
    fn from(template: &templates::Template) -> Self {
        Self { id: ID(template.id().to_owned()), name: template.display_name().to_owned() }
    }
}
