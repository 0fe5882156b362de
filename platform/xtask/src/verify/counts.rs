//! How many tests ran, as each test runner says it. A form that is not known gives `None`, never a zero.

use std::collections::BTreeSet;

use serde_json::Value;

use super::report::Tally;

/// nextest's last word: `Summary [  3.2s] 12 tests run: 11 passed (1 slow), 1 failed, 2 skipped`.
pub(crate) fn nextest(output: &str) -> Option<Tally> {
    let summary = output.lines().rev().find(|line| line.trim_start().starts_with("Summary ["))?;
    let (_, counts) = summary.split_once("run: ")?;
    let mut tally = Tally::default();
    for part in counts.split([',', '(', ')']) {
        let Some((count, word)) = part.trim().split_once(' ') else { continue };
        let count = count.parse::<u32>().ok()?;
        match word {
            "passed" => tally.passed += count,
            "failed" | "timed out" | "exec failed" => tally.failed += count,
            "skipped" => tally.skipped += count,
            // Slow, flaky and leaky tests are among the passed ones.
            _ => {}
        }
    }
    Some(tally)
}

/// One line for each test binary: `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out`.
pub(crate) fn libtest(output: &str) -> Option<Tally> {
    let mut tally = None;
    for line in output.lines().filter(|line| line.starts_with("test result: ")) {
        let tally = tally.get_or_insert_with(Tally::default);
        for part in line.split(['.', ';']) {
            let Some((count, word)) = part.trim().split_once(' ') else { continue };
            let Ok(count) = count.parse::<u32>() else { continue };
            match word {
                "passed" => tally.passed += count,
                "failed" => tally.failed += count,
                "ignored" => tally.skipped += count,
                _ => {}
            }
        }
    }
    tally
}

/// Tests that found a tool missing pass, and say so on a line of their own: `SKIPPED: <reason>`. They are counted as
/// what they are; the reasons come along, each once.
pub(crate) fn own_skips(output: &str, tally: Tally) -> (Tally, String) {
    let reasons: Vec<&str> =
        output.lines().filter_map(|line| line.trim_start().strip_prefix("SKIPPED: ")).collect();
    let skipped = u32::try_from(reasons.len()).unwrap_or(u32::MAX).min(tally.passed);
    let counted = Tally { passed: tally.passed - skipped, skipped: tally.skipped + skipped, ..tally };
    (counted, BTreeSet::from_iter(reasons).into_iter().collect::<Vec<_>>().join("; "))
}

/// The file of vitest's JSON reporter.
pub(crate) fn vitest(json: &str) -> Option<Tally> {
    let json: Value = serde_json::from_str(json).ok()?;
    Some(Tally {
        passed: number(&json, "/numPassedTests")?,
        failed: number(&json, "/numFailedTests")?,
        skipped: number(&json, "/numPendingTests")? + number(&json, "/numTodoTests").unwrap_or(0),
    })
}

/// The file of Playwright's JSON reporter. A flaky test passed when it was tried again.
pub(crate) fn playwright(json: &str) -> Option<Tally> {
    let json: Value = serde_json::from_str(json).ok()?;
    Some(Tally {
        passed: number(&json, "/stats/expected")? + number(&json, "/stats/flaky")?,
        failed: number(&json, "/stats/unexpected")?,
        skipped: number(&json, "/stats/skipped")?,
    })
}

fn number(json: &Value, pointer: &str) -> Option<u32> {
    u32::try_from(json.pointer(pointer)?.as_u64()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(passed: u32, failed: u32, skipped: u32) -> Option<Tally> {
        Some(Tally { passed, failed, skipped })
    }

    #[test]
    fn nextest_summaries() {
        for (output, expected) in [
            ("     Summary [   0.010s] 12 tests run: 12 passed, 0 skipped", tally(12, 0, 0)),
            ("     Summary [   1.2s] 1 test run: 1 passed, 3 skipped\n", tally(1, 0, 3)),
            (
                "     Summary [   9s] 9 tests run: 7 passed (2 slow, 1 flaky), 2 failed, 1 skipped",
                tally(7, 2, 1),
            ),
            (
                "     Summary [   9s] 9 tests run: 6 passed (1 leaky), 1 failed, 1 timed out, 1 exec failed, 0 skipped",
                tally(6, 3, 0),
            ),
            ("     Summary [   9s] 3/9 tests run: 2 passed, 1 failed, 0 skipped", tally(2, 1, 0)),
            ("     Summary [ 1s] 2 tests run: 2 passed, 0 skipped\nerror: test run failed", tally(2, 0, 0)),
            ("error: could not compile `tests`", None),
            ("     Summary [ 1s] something new", None),
            ("", None),
        ] {
            assert_eq!(nextest(output), expected, "{output:?}");
        }
    }

    #[test]
    fn libtest_results_are_added_up() {
        let two = "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\
                   running 2 tests\n\
                   test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 7 filtered out; finished in 0.10s";
        assert_eq!(libtest(two), tally(4, 1, 1));
        assert_eq!(libtest("error[E0308]: mismatched types"), None);
    }

    #[test]
    fn a_test_that_says_it_was_skipped_did_not_pass() {
        let output =
            "running 1 test\n    SKIPPED: no initdb\ntest a ... ok\nSKIPPED: no initdb\nSKIPPED: not root\n";
        let before = Tally { passed: 9, failed: 1, skipped: 1 };
        assert_eq!(
            own_skips(output, before),
            (Tally { passed: 6, failed: 1, skipped: 4 }, "no initdb; not root".to_owned())
        );
        assert_eq!(own_skips("nothing was SKIPPED: here", before), (before, String::new()));
        assert_eq!(own_skips(output, Tally::PASSED).0, Tally::SKIPPED, "more lines than tests");
    }

    #[test]
    fn vitest_json() {
        let json = r#"{"numTotalTests":9,"numPassedTests":5,"numFailedTests":1,"numPendingTests":2,"numTodoTests":1}"#;
        assert_eq!(vitest(json), tally(5, 1, 3));
        assert_eq!(vitest(r#"{"numPassedTests":5}"#), None);
        assert_eq!(vitest("Tests 5 passed"), None);
    }

    #[test]
    fn playwright_json() {
        let json =
            r#"{"suites":[],"stats":{"expected":8,"skipped":1,"unexpected":2,"flaky":1,"duration":3.5}}"#;
        assert_eq!(playwright(json), tally(9, 2, 1));
        assert_eq!(playwright(r#"{"stats":{"expected":-1}}"#), None);
    }
}
