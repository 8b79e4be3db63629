//! The C ABI's cost in a search, its opening time, and threads that share a shelf.

use std::collections::BTreeMap;
use std::ffi::CString;
use std::hint::black_box;
use std::path::PathBuf;
use std::process::Command;
use std::ptr::{null, null_mut};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use nearshelf::{SearchOptions, Shelf};
use nearshelf_native::{
    NEARSHELF_ABI, NearshelfShelf, NearshelfStatus, nearshelf_close, nearshelf_hits_free,
    nearshelf_last_error, nearshelf_open, nearshelf_search_vector,
};

use crate::timing::median;
use xtask::native;
use xtask::shell::{cache, output, root};

/// Searches of each kind, in turn.
const SEARCHES: usize = 20_000;
const OPENINGS: usize = 50;

pub fn run() -> Result<()> {
    let demo = root().join("assets/demo");
    let shelf = Shelf::open(&demo)?;
    let text = "something warm for a rainy hike";
    let vector = shelf.encoder()?.encode(text)?.vector;
    let options = SearchOptions::default();
    let handle = open(&demo)?;
    let (mut ours, mut plain) = (Vec::new(), Vec::new());
    for _ in 0..SEARCHES {
        let start = Instant::now();
        let found = shelf.search_vector(&vector, &options)?;
        black_box(&found);
        drop(found);
        plain.push(start.elapsed());
        let start = Instant::now();
        let mut hits = null_mut();
        // SAFETY: the handle is open, the vector has its length, `hits` is room for a pointer.
        let status = unsafe {
            nearshelf_search_vector(handle, vector.as_ptr(), vector.len(), null(), &mut hits)
        };
        ensure!(status == NearshelfStatus::Ok, "a search failed");
        // SAFETY: the hits are of this search.
        unsafe { nearshelf_hits_free(black_box(hits)) };
        ours.push(start.elapsed());
    }
    nearshelf_close(handle);
    let micro = |time: Duration| time.as_secs_f64() * 1e6;
    let (ours, plain) = (micro(median(ours)), micro(median(plain)));
    println!(
        "a search by vector: {plain:.2} µs in Rust, {ours:.2} µs through the C ABI, hits copied and freed: \
         {:.2} µs more",
        ours - plain
    );
    let catalog = cache().join("bench/shelf");
    for (name, path) in [("the demo", &demo), ("the shared catalog", &catalog)] {
        if !path.is_dir() {
            println!(
                "skipped: opening {name}: `cargo xtask bench search --items 0` builds its shelf"
            );
            continue;
        }
        let mut times = Vec::new();
        for _ in 0..OPENINGS {
            let start = Instant::now();
            let handle = open(path)?;
            times.push(start.elapsed());
            nearshelf_close(handle);
        }
        let items = Shelf::open(path)?.len();
        println!(
            "opening {name}, {items} items: {:.3} ms",
            micro(median(times)) / 1e3
        );
    }

    native::install(&native::prefix())?;
    let program = cache().join("threads");
    compile(&program)?;
    let mut threads = Command::new(&program);
    println!("{}", output(threads.arg(&demo).args(["8", "10000"]))?);
    breakdown()
}

/// The content of the library: its code by crate, as the static one has it, and the shared one's sections.
fn breakdown() -> Result<()> {
    let lib = native::prefix().join("lib");
    let mut crates: BTreeMap<String, u64> = BTreeMap::new();
    let symbols = output(
        Command::new("nm")
            .args(["-S", "--defined-only"])
            .arg(lib.join("libnearshelf.a")),
    )?;
    for line in symbols.lines() {
        let [_, size, kind, name] = line.split_whitespace().collect::<Vec<_>>()[..] else {
            continue;
        };
        if matches!(kind, "t" | "T") {
            *crates.entry(crate_of(name)).or_default() += u64::from_str_radix(size, 16)?;
        }
    }
    let mut crates: Vec<_> = crates.into_iter().collect();
    crates.sort_by_key(|(name, size)| (std::cmp::Reverse(*size), name.clone()));
    let rows = crates.iter().take(16);
    println!("code by crate, kB:");
    rows.for_each(|(name, size)| println!("  {name} {}", size / 1000));
    println!(
        "{}",
        output(
            Command::new("size")
                .arg("-A")
                .arg(lib.join("libnearshelf.so"))
        )?
    );
    Ok(())
}

/// The crate that a mangled name belongs to: the first that it names.
fn crate_of(name: &str) -> String {
    let Some(rest) = name.strip_prefix("_ZN") else {
        return "other".into();
    };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let length = rest[..digits].parse().unwrap_or(0);
    let mut first = rest[digits..].get(..length).unwrap_or_default();
    // `_$LT$a..b$u20$as$u20$c$GT$`: the type that a trait is implemented for.
    while let Some(at) = first.find('$') {
        let Some(end) = first[at + 1..].find('$') else {
            break;
        };
        if !first[..at].trim_matches('_').is_empty() {
            first = &first[..at];
            break;
        }
        first = &first[at + end + 2..];
    }
    let end = first.find("..").unwrap_or(first.len());
    first[..end].trim_matches('_').to_owned()
}

fn open(path: &std::path::Path) -> Result<*mut NearshelfShelf> {
    let path = CString::new(path.to_str().context("a path in UTF-8")?)?;
    let mut shelf = null_mut();
    // SAFETY: the path ends with a NUL, `shelf` is room for a pointer.
    let status = unsafe { nearshelf_open(NEARSHELF_ABI, path.as_ptr(), &mut shelf) };
    if status != NearshelfStatus::Ok {
        // SAFETY: the message is this thread's, and nothing failed since.
        let message = unsafe { std::ffi::CStr::from_ptr(nearshelf_last_error()) };
        anyhow::bail!("{}", message.to_string_lossy());
    }
    Ok(shelf)
}

fn compile(program: &PathBuf) -> Result<()> {
    let prefix = native::prefix();
    let mut cc = Command::new("cc");
    cc.args(["-O2", "-D_GNU_SOURCE", "-pthread", "-I"])
        .arg(prefix.join("include"))
        .arg(root().join("tests/native/threads.c"))
        .arg(prefix.join("lib/libnearshelf.a"))
        .args(["-lm", "-o"])
        .arg(program);
    output(&mut cc).map(drop)
}
