//! The table at the end, and the one plain line after it.

use std::fmt;
use std::ops::AddAssign;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u32,
    pub(crate) failed: u32,
    pub(crate) skipped: u32,
}

impl Tally {
    pub(crate) const PASSED: Tally = Tally { passed: 1, failed: 0, skipped: 0 };
    pub(crate) const FAILED: Tally = Tally { passed: 0, failed: 1, skipped: 0 };
    pub(crate) const SKIPPED: Tally = Tally { passed: 0, failed: 0, skipped: 1 };
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Tally) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally { passed, failed, skipped } = self;
        write!(formatter, "{passed} passed, {failed} failed, {skipped} skipped")
    }
}

/// One check, done.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) seconds: f64,
    pub(crate) tally: Tally,
    /// Why it was skipped, or what was looked at; at most one line.
    pub(crate) note: String,
}

impl Row {
    pub(crate) fn verdict(&self) -> &'static str {
        match self.tally {
            Tally { failed: 1.., .. } => "FAILED",
            Tally { passed: 0, .. } => "skipped",
            _ => "ok",
        }
    }
}

/// Everything that was found, ending in the line that programs read.
pub(crate) fn render(rows: &[Row], seconds: f64) -> String {
    let mut total = Tally::default();
    let mut lines = vec![line(["check", "result", "seconds", "passed", "failed", "skipped"], "")];
    for row in rows {
        total += row.tally;
        let Tally { passed, failed, skipped } = row.tally;
        let [seconds, passed, failed, skipped] =
            [format!("{:.1}", row.seconds), passed.to_string(), failed.to_string(), skipped.to_string()];
        lines.push(line([&row.name, row.verdict(), &seconds, &passed, &failed, &skipped], &row.note));
    }
    // Checks run side by side, so the whole takes less than their sum.
    lines.push(line(["all", "", &format!("{seconds:.1}"), "", "", ""], ""));
    format!("\n{}\n\n{total}", lines.join("\n"))
}

fn line([name, verdict, seconds, passed, failed, skipped]: [&str; 6], note: &str) -> String {
    let line = format!("{name:<14} {verdict:<8} {seconds:>8} {passed:>7} {failed:>7} {skipped:>8}  {note}");
    line.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, tally: Tally, note: &str) -> Row {
        Row { name: name.to_owned(), seconds: 1.25, tally, note: note.to_owned() }
    }

    #[test]
    fn the_last_line_is_the_sum_and_nothing_else() {
        let rows = [
            row("format", Tally::PASSED, ""),
            row("rust tests", Tally { passed: 120, failed: 2, skipped: 1 }, ""),
            row("journeys", Tally::SKIPPED, "chromium is missing"),
        ];
        let text = render(&rows, 90.0);
        assert_eq!(text.lines().last(), Some("121 passed, 2 failed, 2 skipped"));
        assert!(text.contains("chromium is missing"));
    }

    #[test]
    fn a_check_is_named_by_its_worst_result() {
        for (tally, expected) in [
            (Tally::PASSED, "ok"),
            (Tally::FAILED, "FAILED"),
            (Tally::SKIPPED, "skipped"),
            (Tally::default(), "skipped"),
            (Tally { passed: 3, failed: 0, skipped: 2 }, "ok"),
            (Tally { passed: 3, failed: 1, skipped: 2 }, "FAILED"),
        ] {
            assert_eq!(row("x", tally, "").verdict(), expected, "{tally:?}");
        }
    }
}
