//! Passwords that have been seen in breaches, in a file as Have I Been Pwned gives it out, ordered by hash: a line
//! `<SHA-1 in hexadecimal>:<how often>` for each. Nothing of it is loaded, and nothing is asked over the network.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    sync::Arc,
};

use parking_lot::Mutex;
use sha1::{Digest, Sha1};

/// Characters of a hash.
const HASH: usize = 40;
/// Longer than any line.
const LINE: usize = 64;
/// Places in the file that are looked at before it is trusted.
const PROBES: u64 = 64;

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BreachedFileError {
    /// It is not there, or not readable.
    #[error("the file of breached passwords {} cannot be read", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// It holds something else.
    #[error(
        "the file of breached passwords {} is not as expected at byte {at}: it must have lines <SHA-1>:<count>, \
         ordered by hash", path.display()
    )]
    Content {
        /// Which.
        path: PathBuf,
        /// Where the line begins.
        at: u64,
    },
}

/// Such a file.
#[derive(Clone)]
pub struct BreachedPasswords {
    file: Arc<Mutex<File>>,
    size: u64,
}

/// A line: where it begins, its hash, and where the next begins.
struct Line {
    at: u64,
    hash: [u8; HASH],
    next: u64,
}

impl BreachedPasswords {
    /// Opens a file and looks at some of its lines.
    ///
    /// # Errors
    /// [`BreachedFileError`] when it cannot be read, or does not look as it must.
    pub fn open(path: &Path) -> Result<Self, BreachedFileError> {
        let unreadable = |cause| BreachedFileError::Unreadable { path: path.to_owned(), cause };
        let file = File::open(path).map_err(unreadable)?;
        let size = file.metadata().map_err(unreadable)?.len();
        let opened = Self { file: Arc::new(Mutex::new(file)), size };
        let mut before: Option<Line> = None;
        for probe in 0..PROBES {
            let from = size / PROBES * probe;
            let content = |at| BreachedFileError::Content { path: path.to_owned(), at };
            let Some(line) = opened.line(from, probe == 0).map_err(unreadable)? else {
                if probe == 0 {
                    return Err(content(0));
                }
                break;
            };
            let hash = line.hash.iter().all(u8::is_ascii_hexdigit);
            let ordered =
                before.as_ref().is_none_or(|before| before.at >= line.at || before.hash < line.hash);
            if !hash || !ordered {
                return Err(content(line.at));
            }
            before = Some(line);
        }
        Ok(opened)
    }

    /// Whether a password is in it. Reads the disk, about 40 times for all that are known.
    pub(crate) fn contain(&self, password: &str) -> io::Result<bool> {
        let wanted = hex(&Sha1::digest(password.as_bytes()));
        // A line begins at `low`; the one that is wanted begins before `high`.
        let (mut low, mut high) = (0, self.size);
        while low < high {
            let middle = low + (high - low) / 2;
            // The first line that begins at the middle or after it.
            let found = match middle == low {
                true => self.line(middle, true)?,
                false => self.line(middle - 1, false)?,
            };
            match found.filter(|line| line.at < high) {
                Some(line) if line.hash.as_slice() == wanted => return Ok(true),
                Some(line) if line.hash.as_slice() < wanted.as_slice() => low = line.next,
                _ => high = middle,
            }
        }
        Ok(false)
    }

    /// The first line that begins at a place or, unless one does `here`, after it.
    fn line(&self, place: u64, here: bool) -> io::Result<Option<Line>> {
        let mut bytes = Vec::with_capacity(2 * LINE);
        {
            let mut file = self.file.lock();
            file.seek(SeekFrom::Start(place))?;
            Read::by_ref(&mut *file).take(2 * LINE as u64).read_to_end(&mut bytes)?;
        }
        let newline =
            |from: usize| bytes.iter().skip(from).position(|byte| *byte == b'\n').map(|n| from + n + 1);
        let Some(start) = (if here { Some(0) } else { newline(0) }) else { return Ok(None) };
        let Some(hash) = bytes.get(start..start + HASH) else { return Ok(None) };
        let mut upper = [0; HASH];
        upper.copy_from_slice(hash);
        upper.make_ascii_uppercase();
        let next = newline(start).unwrap_or(bytes.len());
        Ok(Some(Line { at: place + start as u64, hash: upper, next: place + next as u64 }))
    }
}

fn hex(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().flat_map(|byte| format!("{byte:02X}").into_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(lines: &[String], end: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("breached.txt");
        std::fs::write(&path, lines.join(end) + end).unwrap();
        (folder, path)
    }

    fn lines(count: usize) -> Vec<String> {
        let hash =
            |n: usize| String::from_utf8(hex(&Sha1::digest(format!("password {n}").as_bytes()))).unwrap();
        let mut lines: Vec<_> = (0..count).map(|n| format!("{}:{}", hash(n), n % 1_000 + 1)).collect();
        lines.sort();
        lines
    }

    #[test]
    fn every_password_of_the_file_is_found_and_no_other() {
        for (count, end) in [(1, "\n"), (2, "\r\n"), (3, "\n"), (1_000, "\r\n"), (1_001, "\n")] {
            let (_folder, path) = file(&lines(count), end);
            let breached = BreachedPasswords::open(&path).unwrap();
            for n in 0..count {
                assert!(breached.contain(&format!("password {n}")).unwrap(), "{n} of {count}");
            }
            for n in count..count + 200 {
                assert!(!breached.contain(&format!("password {n}")).unwrap(), "{n} of {count}");
            }
        }
    }

    #[test]
    fn a_file_that_is_something_else_is_refused() {
        let mut reversed = lines(500);
        reversed.reverse();
        let plain: Vec<_> =
            (0..500).map(|n| format!("password {n} in plain words, longer than a hash")).collect();
        for wrong in [reversed, plain, vec![String::new()]] {
            let (_folder, path) = file(&wrong, "\n");
            let refused = BreachedPasswords::open(&path).err().unwrap();
            assert!(matches!(refused, BreachedFileError::Content { .. }), "{refused}");
        }
        let missing = BreachedPasswords::open(Path::new("/no/such/file")).err().unwrap();
        assert!(matches!(missing, BreachedFileError::Unreadable { .. }));
    }
}
