//! What the machine allows and what a process costs it.
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use tests::time::instant;

/// Starts this program again with the highest limit of open files, unless the limit is high enough. A process cannot raise
/// its own limit without calling into the C library, but a shell can before it becomes this program.
pub(crate) fn allow_open_files(wanted: usize) {
    let Some((soft, hard)) = open_files() else { return };
    if soft >= wanted.min(hard) {
        return;
    }
    let Ok(program) = std::env::current_exe() else { return };
    let mut shell = Command::new("sh");
    shell
        .args(["-c", "ulimit -n \"$(ulimit -Hn)\"; exec \"$@\"", "sh"])
        .arg(program)
        .args(std::env::args().skip(1));
    let error = shell.exec();
    eprintln!("the limit of open files stays at {soft}: {error}");
}

/// How many files a process may have open, now and at most.
pub(crate) fn open_files() -> Option<(usize, usize)> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find(|line| line.starts_with("Max open files"))?;
    let mut numbers =
        line.split_whitespace().skip(3).map(|number| number.parse::<usize>().unwrap_or(usize::MAX));
    Some((numbers.next()?, numbers.next()?))
}

/// The median time of a small write that survives a power cut, in milliseconds: what every commit has to wait for.
pub(crate) fn commit_ms(folder: &Path) -> f64 {
    let path = folder.join("durable-write");
    let mut file = File::create(&path).expect("the folder can be written");
    let mut times = Vec::new();
    for _ in 0..100 {
        let began = instant();
        file.write_all(&[7; 4_096]).and_then(|()| file.sync_data()).expect("the disk takes writes");
        times.push(began.elapsed().as_secs_f64() * 1_000.0);
    }
    fs::remove_file(path).expect("the file is ours");
    crate::figures::median(times)
}

/// Processor time of a process so far, in seconds. A tick is 10 ms on Linux.
pub(crate) fn processor_s(process: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The name of the program, in brackets, may hold spaces; user and system time are fields 14 and 15.
    let after = stat.rsplit_once(')').map_or("", |(_, after)| after);
    let ticks: f64 =
        after.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum();
    ticks / 100.0
}

/// Resident memory of a process, in MiB.
pub(crate) fn resident_mib(process: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|field| field.parse::<f64>().ok()).unwrap_or(f64::NAN) / 1_024.0
}
