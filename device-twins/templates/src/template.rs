//! A template, ready to decode with.

use ahash::AHashMap;
use readings::{Conversion, Path, Unit, VitalSign};

use crate::Schema;

/// What one kind of device says, by DTDL.
#[derive(Debug)]
pub struct Template {
    pub(crate) id: String,
    pub(crate) display_name: String,
    pub(crate) telemetry: Vec<Telemetry>,
    /// By name in a message without a component: `heartRate`, and also `component/heartRate`.
    pub(crate) root: Names,
    /// By component, then by name within it.
    pub(crate) components: AHashMap<Box<str>, Names>,
    pub(crate) unresolved: Vec<String>,
}

/// Places in [`Template::telemetry`], by name. Nested by component, so that a message's component is looked
/// up once and no name is ever put together while decoding.
pub(crate) type Names = AHashMap<Box<str>, usize>;

/// One thing that a device says.
#[derive(Debug, Clone, PartialEq)]
pub struct Telemetry {
    pub(crate) path: Path,
    pub(crate) display_name: String,
    pub(crate) schema: Schema,
    pub(crate) unit: Option<Unit>,
    pub(crate) sign: Option<VitalSign>,
    /// From the unit in which the device sends to `unit`.
    pub(crate) sent: Conversion,
}

impl Template {
    /// Its DTMI, for example `dtmi:iomt:PatientMonitor;1`.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What people call it: in English where the model has several languages.
    pub fn display_name(&self) -> &str {
        &self.display_name
    }

    /// All that it says, its components' included, in the order of the model.
    pub fn telemetry(&self) -> impl Iterator<Item = &Telemetry> {
        self.telemetry.iter()
    }

    /// The telemetry of a path.
    pub fn find(&self, path: &Path) -> Option<&Telemetry> {
        self.root.get(path.as_str()).and_then(|at| self.telemetry.get(*at))
    }

    /// Interfaces that the model names but does not contain. What their parts of the device say is kept as
    /// unmodeled.
    pub fn unresolved(&self) -> impl Iterator<Item = &str> {
        self.unresolved.iter().map(String::as_str)
    }
}

impl Telemetry {
    /// Where its readings come from.
    pub const fn path(&self) -> &Path {
        &self.path
    }

    /// What people call it.
    pub fn display_name(&self) -> &str {
        &self.display_name
    }

    /// What its values may be.
    pub const fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The unit of its readings: a vital sign's own unit, else that of the model. A model may say that the
    /// device sends in another; decoding converts.
    pub const fn unit(&self) -> Option<&Unit> {
        self.unit.as_ref()
    }

    /// The vital sign that it is, where the model says so.
    pub const fn sign(&self) -> Option<VitalSign> {
        self.sign
    }
}
