//! Chart 1 of the Royal College of Physicians' NEWS2 report (2017), cell by cell.

use readings::{Value, VitalSign};

use super::Spo2Scale;

/// Points and why.
pub(super) struct Points {
    pub(super) points: u8,
    pub(super) reason: String,
}

/// One cell: all values up to and including `up_to` that no earlier cell has.
struct Cell {
    up_to: f64,
    points: u8,
}

const fn cell(up_to: f64, points: u8) -> Cell {
    Cell { up_to, points }
}

/// The last cell of a row.
const fn above(points: u8) -> Cell {
    Cell { up_to: f64::INFINITY, points }
}

/// One row of the chart, lowest values first.
struct Row {
    cells: &'static [Cell],
    /// The step in which the chart counts: values are rounded to it before they are scored, as a nurse would
    /// write them down. Between 38.0 and 38.1 there is no cell.
    decimals: u8,
    unit: &'static str,
}

const RESPIRATION: Row = Row {
    cells: &[cell(8.0, 3), cell(11.0, 1), cell(20.0, 0), cell(24.0, 2), above(3)],
    decimals: 0,
    unit: "/min",
};
const SPO2_SCALE_1: Row =
    Row { cells: &[cell(91.0, 3), cell(93.0, 2), cell(95.0, 1), above(0)], decimals: 0, unit: "%" };
/// From 93 % upwards the points depend on whether the patient breathes air or oxygen.
const SPO2_SCALE_2_ON_AIR: Row =
    Row { cells: &[cell(83.0, 3), cell(85.0, 2), cell(87.0, 1), above(0)], decimals: 0, unit: "%" };
const SPO2_SCALE_2_ON_OXYGEN: Row = Row {
    cells: &[
        cell(83.0, 3),
        cell(85.0, 2),
        cell(87.0, 1),
        cell(92.0, 0),
        cell(94.0, 1),
        cell(96.0, 2),
        above(3),
    ],
    decimals: 0,
    unit: "%",
};
const SYSTOLIC: Row = Row {
    cells: &[cell(90.0, 3), cell(100.0, 2), cell(110.0, 1), cell(219.0, 0), above(3)],
    decimals: 0,
    unit: "mmHg",
};
const PULSE: Row = Row {
    cells: &[cell(40.0, 3), cell(50.0, 1), cell(90.0, 0), cell(110.0, 1), cell(130.0, 2), above(3)],
    decimals: 0,
    unit: "/min",
};
const TEMPERATURE: Row = Row {
    cells: &[cell(35.0, 3), cell(36.0, 1), cell(38.0, 0), cell(39.0, 1), above(2)],
    decimals: 1,
    unit: "°C",
};
/// Where the two readings of scale 2 part.
const SCALE_2_PARTS_ABOVE: f64 = 92.0;

/// The points of one value, or why it has none.
pub(super) fn points(
    sign: VitalSign,
    value: &Value,
    scale: Spo2Scale,
    on_oxygen: Option<bool>,
) -> Result<Points, String> {
    match sign {
        VitalSign::RespiratoryRate => RESPIRATION.score(value),
        VitalSign::OxygenSaturation => saturation(value, scale, on_oxygen),
        VitalSign::SupplementalOxygen => oxygen(value),
        VitalSign::SystolicPressure => SYSTOLIC.score(value),
        VitalSign::HeartRate => PULSE.score(value),
        VitalSign::Consciousness => consciousness(value),
        VitalSign::Temperature => TEMPERATURE.score(value),
        VitalSign::DiastolicPressure => Err("no parameter of NEWS2".to_owned()),
    }
}

fn saturation(value: &Value, scale: Spo2Scale, on_oxygen: Option<bool>) -> Result<Points, String> {
    let row = match (scale, on_oxygen) {
        (Spo2Scale::One, _) => SPO2_SCALE_1,
        (Spo2Scale::Two, Some(false)) => SPO2_SCALE_2_ON_AIR,
        (Spo2Scale::Two, Some(true)) => SPO2_SCALE_2_ON_OXYGEN,
        (Spo2Scale::Two, None) if SPO2_SCALE_2_ON_AIR.number(value)? <= SCALE_2_PARTS_ABOVE => {
            SPO2_SCALE_2_ON_OXYGEN
        }
        (Spo2Scale::Two, None) => {
            return Err(
                "not scored: scale 2 above 92 % needs to know whether the patient is on oxygen".to_owned()
            );
        }
    };
    row.score(value)
}

fn oxygen(value: &Value) -> Result<Points, String> {
    match value {
        Value::Flag(true) => Ok(Points { points: 2, reason: "on oxygen".to_owned() }),
        Value::Flag(false) => Ok(Points { points: 0, reason: "on air".to_owned() }),
        _ => Err("not scored: neither yes nor no".to_owned()),
    }
}

fn consciousness(value: &Value) -> Result<Points, String> {
    let (points, reason) = match value.as_text() {
        Some("A") => (0, "alert"),
        Some("C") => (3, "new confusion"),
        Some("V") => (3, "responds to voice"),
        Some("P") => (3, "responds to pain"),
        Some("U") => (3, "unresponsive"),
        _ => return Err("not scored: not one of A, C, V, P, U".to_owned()),
    };
    Ok(Points { points, reason: reason.to_owned() })
}

impl Row {
    /// The value as the chart counts it, halves away from zero.
    fn number(&self, value: &Value) -> Result<f64, String> {
        let number = value.as_number().filter(|number| number.is_finite());
        let per_unit = 10_f64.powi(self.decimals.into());
        // The tiny part of a step undoes what binary fractions lose: 35.05 is stored a little below itself.
        number
            .map(|number| ((number * per_unit).abs() + 1e-6).round().copysign(number) / per_unit)
            .ok_or_else(|| "not scored: not a number".to_owned())
    }

    fn score(&self, value: &Value) -> Result<Points, String> {
        let number = self.number(value)?;
        let at = self.cells.iter().position(|cell| number <= cell.up_to).unwrap_or(self.cells.len() - 1);
        let points = self.cells.get(at).map_or(0, |cell| cell.points);
        Ok(Points { points, reason: self.reason(number, at) })
    }

    fn reason(&self, number: f64, at: usize) -> String {
        let (decimals, unit) = (usize::from(self.decimals), self.unit);
        let step = 10_f64.powi(-i32::from(self.decimals));
        let lowest =
            at.checked_sub(1).and_then(|below| self.cells.get(below)).map(|below| below.up_to + step);
        let highest = self.cells.get(at).map(|cell| cell.up_to).filter(|up_to| up_to.is_finite());
        let range = match (lowest, highest) {
            (Some(lowest), Some(highest)) => format!("{lowest:.decimals$} to {highest:.decimals$}"),
            (None, Some(highest)) => format!("{highest:.decimals$} or less"),
            (Some(lowest), None) => format!("{lowest:.decimals$} or more"),
            (None, None) => "any value".to_owned(),
        };
        format!("{number:.decimals$} {unit} is {range}")
    }
}
