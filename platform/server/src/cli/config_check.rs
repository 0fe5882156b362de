//! `iomt config check`.

use serde_json::{Map, Value, json};

use super::{
    CliError,
    arguments::ReportArguments,
    output::{remark, say},
};
use crate::config::{Config, Effective};

pub(super) fn run(arguments: &ReportArguments) -> Result<(), CliError> {
    let values = arguments.config.values()?;
    let checked = Config::from_values(&values);
    // What applies is shown also when it is wrong: that is when it is needed.
    if arguments.json {
        let warnings = checked.as_ref().map(|config| config.warnings.as_slice()).unwrap_or_default();
        say(
            json!({ "settings": as_json(values.effective()), "warnings": warnings, "valid": checked.is_ok() }),
        )?;
    } else {
        say(as_table(values.effective()))?;
    }
    let config = checked?;
    if !arguments.json {
        for warning in &config.warnings {
            remark(format_args!("warning: {warning}"));
        }
    }
    Ok(())
}

fn as_table(effective: &[Effective]) -> String {
    let width = effective.iter().map(|found| found.setting.key.len()).max().unwrap_or_default();
    let lines = effective.iter().map(|found| {
        let (key, value) = (found.setting.key, found.shown());
        let value = if value.is_empty() { "-".to_owned() } else { value };
        format!("{key:<width$}  {value}  ({}; {})", found.origin, found.setting.variable)
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn as_json(effective: &[Effective]) -> Value {
    let entry = |found: &Effective| {
        let about = json!({ "value": found.shown(), "origin": found.origin.to_string(), "variable": found.setting.variable });
        (found.setting.key.to_owned(), about)
    };
    Value::Object(effective.iter().map(entry).collect::<Map<_, _>>())
}
