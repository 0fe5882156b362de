//! Whether a GraphQL document may be sent with GET: only if it holds nothing but queries.
//!
//! This reads words, not grammar: the schema's own limits have to see a document before its parser does,
//! which is recursive. In doubt the answer is no; POST is always open.

/// Whether no operation of the document is anything but a query.
pub(super) fn is_queries_only(document: &str) -> bool {
    let mut depth = 0_usize;
    let mut rest = document;
    while let Some(first) = rest.chars().next() {
        let taken = match first {
            '#' => rest.find(['\n', '\r']).unwrap_or(rest.len()),
            '"' => string(rest),
            '{' | '(' | '[' => {
                depth += 1;
                1
            }
            '}' | ')' | ']' => {
                depth = depth.saturating_sub(1);
                1
            }
            c if c.is_ascii_alphabetic() || c == '_' => {
                let word = word(rest);
                // A fragment or an operation may have such a name too; that is a price worth paying.
                if depth == 0 && matches!(word, "mutation" | "subscription") {
                    return false;
                }
                word.len()
            }
            c => c.len_utf8(),
        };
        rest = rest.get(taken..).unwrap_or_default();
    }
    true
}

fn word(text: &str) -> &str {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

/// Length of the string, or block string, at the start of the text.
fn string(text: &str) -> usize {
    let (quote, escape) = if text.starts_with("\"\"\"") { ("\"\"\"", "\\\"\"\"") } else { ("\"", "\\") };
    let mut at = quote.len();
    while let Some(rest) = text.get(at..) {
        if rest.starts_with(escape) {
            // In a string the escaped character goes along, whatever it is.
            let skipped = rest.get(escape.len()..).and_then(|after| after.chars().next());
            at += escape.len() + if quote.len() == 1 { skipped.map_or(0, char::len_utf8) } else { 0 };
        } else if rest.starts_with(quote) {
            return at + quote.len();
        } else {
            match rest.chars().next() {
                // A string ends with its line, closed or not.
                Some('\n' | '\r') if quote.len() == 1 => return at,
                Some(c) => at += c.len_utf8(),
                None => break,
            }
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_queries_may_be_read() {
        for allowed in [
            "{ viewer { id } }",
            "query { viewer { id } }",
            "query A($mutation: String = \"mutation\") { a(mutation: $mutation) { mutation subscription } }",
            "# mutation\nquery { a }",
            "query { a(text: \"} mutation {\") }",
            "query { a(text: \"\\\"} mutation { \\\"\") }",
            "query { a(text: \"\"\"} mutation \\\"\"\" {\"\"\") }",
            "fragment F on Alarm { id } query { a { ...F } }",
            "",
        ] {
            assert!(is_queries_only(allowed), "{allowed}");
        }
        for refused in [
            "mutation { a }",
            "  mutation M($a: Int) { a }",
            "query { a } mutation { b }",
            "query{a}mutation{b}",
            "subscription { a }",
            "# query\nmutation { a }",
            "#\rmutation { a }",
            "query { a(text: \"\\\\\") } mutation { b }",
            "query { a(text: \"\") } mutation { b }",
            "query { a(text: \"\"\"\"\"\") } mutation { b }",
            "query { a(text: \"open\n) } mutation { b }",
            "}}} mutation { a }",
        ] {
            assert!(!is_queries_only(refused), "{refused}");
        }
    }

    #[test]
    fn no_text_is_too_strange() {
        for text in ["\"", "\"\\", "\"\"\"", "\"\"\"\\", "ü{ö\"ä", "{{{{", "\\", "#"] {
            is_queries_only(text);
        }
        is_queries_only(&"{".repeat(1_000_000));
    }
}
