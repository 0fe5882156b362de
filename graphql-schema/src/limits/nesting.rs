//! How deep a document's brackets go, told from its text alone and without recursion.

/// The deepest nesting of `{`, `[` and `(` outside strings and comments.
pub(super) fn nesting(document: &str) -> usize {
    let mut rest = document.as_bytes();
    let (mut depth, mut deepest) = (0_usize, 0_usize);
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'{' | b'[' | b'(' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' | b')' => depth = depth.saturating_sub(1),
            b'#' => rest = after_line(after),
            b'"' => rest = after_string(after),
            _ => {}
        }
    }
    deepest
}

fn after_line(text: &[u8]) -> &[u8] {
    let end = text.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(text.len());
    text.get(end..).unwrap_or_default()
}

/// After a string whose first quote has been read. One that is never closed ends with its line: whatever
/// the parser makes of it, what follows is still looked at.
fn after_string(text: &[u8]) -> &[u8] {
    if let Some(block) = text.strip_prefix(b"\"\"") {
        return after_block(block);
    }
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = match byte {
            b'"' | b'\n' | b'\r' => return after,
            b'\\' => after.split_first().map_or(after, |(_, after)| after),
            _ => after,
        };
    }
    rest
}

fn after_block(text: &[u8]) -> &[u8] {
    let mut rest = text;
    while let Some((_, after)) = rest.split_first() {
        if let Some(after) = rest.strip_prefix(b"\"\"\"") {
            return after;
        }
        rest = rest.strip_prefix(b"\\\"\"\"").unwrap_or(after);
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_count_outside_strings_and_comments() {
        let rows = [
            ("", 0),
            ("{ a }", 1),
            ("{ a { b } c { d { e } } }", 3),
            ("{ a(x: [[1], {y: 2}]) { b } }", 4),
            ("{ a(x: \"}}}\") { b } }", 2),
            ("{ a(x: \"\\\"{{{\") }", 2),
            ("{ a(x: \"\"\"{{ \\\"\"\" {{\"\"\") }", 2),
            ("{ a(x: \"\") { b } }", 2),
            ("{ # {{{{\n a { b } }", 2),
            ("}}}} { a { b } }", 2),
            ("{ a(x: \"open\n) { b { c } } }", 3),
        ];
        for (document, expected) in rows {
            assert_eq!(nesting(document), expected, "{document}");
        }
        assert_eq!(nesting(&"{a".repeat(100_000)), 100_000);
    }
}
