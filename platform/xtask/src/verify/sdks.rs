//! Environments of Python for the clients of other platforms: one for each, as what one needs is in the other's way.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::process;

/// Where it is said which packages in which versions each needs.
const CLIENTS: &str = "tests/sdks/clients";
/// In an environment: what was installed.
const INSTALLED: &str = "installed.txt";

/// Makes those that are missing or out of date, with `run` for each command.
pub(super) fn set_up<E>(folder: &Path, mut run: impl FnMut(&mut Command) -> Result<(), E>) -> Result<(), E> {
    let files = fs::read_dir(process::root().join(CLIENTS)).into_iter().flatten().flatten();
    let requirements =
        files.map(|file| file.path()).filter(|path| path.extension().is_some_and(|e| e == "txt"));
    for file in requirements {
        let packages = fs::read_to_string(&file).unwrap_or_default();
        let environment = folder.join(file.file_stem().unwrap_or_default());
        let noted = environment.join(INSTALLED);
        if fs::read_to_string(&noted).is_ok_and(|installed| installed == packages) {
            continue;
        }
        run(process::command("python3").args(["-m", "venv", "--clear"]).arg(&environment))?;
        let install = ["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "-r"];
        run(process::command(environment.join("bin/python")).args(install).arg(&file))?;
        // Where it cannot be noted it is made again the next time.
        drop(fs::write(noted, packages));
    }
    Ok(())
}
