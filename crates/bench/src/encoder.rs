//! Encoding against ONNX Runtime INT8 of the same model: natively, with AVX2 alone, and in wasm.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use nearshelf::{Encoder, Isa};
use nearshelf_export::Precision;
use xtask::shell::{cache, output, root, shared_data};
use xtask::{setup, web};

use crate::model;
use crate::timing::median;

const TOKENS: [usize; 6] = [8, 16, 32, 64, 128, 256];
/// Ours and theirs take turns so often; of the rounds' medians the middle one counts.
const ROUNDS: usize = 5;
const RUNS: usize = 30;
/// Titles that throughput is measured on.
const TITLES: usize = 4000;
/// Modules that are measured; those for ONNX run recognised encoders with the same code.
const NETWORK_BUILDS: [&str; 2] = ["simd128", "relaxed-simd"];

/// All measurements; what cannot be had here is said and left out.
pub fn run() -> Result<()> {
    let python = setup::bench_python()?;
    let base = setup::base_model(&python)?;
    let model = model::exported(&base, Precision::Int8)?;
    let theirs = model::onnxruntime_int8()?;

    let native = |isa: Option<&str>| {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("latency").arg(&model);
        if let Some(isa) = isa {
            command.env("NEARSHELF_ISA", isa);
        }
        Peer::start(&mut command)
    };
    let script = |name: &str| root().join("crates/bench/python").join(name);
    let onnx_runtime = |path: &Path| {
        let mut command = Command::new(&python);
        command.arg(script("ort_latency.py")).arg(path);
        command
    };

    let mut ours = native(None)?;
    println!("nearshelf: {}", ours.greeting()?);
    compare(
        "native, against ONNX Runtime INT8",
        ours,
        Peer::start(&mut onnx_runtime(&theirs))?,
    )?;

    let f32 = model::exported(&base, Precision::F32)?;
    let optimized = f32.join("onnxruntime-optimized.onnx");
    let mut optimize = Command::new(&python);
    optimize.arg(script("ort_optimize.py"));
    optimize.args([&f32.join("model.onnx"), &optimized]);
    match output(optimize.args(["12", "384"])) {
        Ok(fused) => {
            println!("fused by ONNX Runtime's optimizer: {fused}");
            let mut ours = native(None)?;
            ours.greeting()?;
            compare(
                "native, against ONNX Runtime INT8 with its transformer optimizer",
                ours,
                Peer::start(&mut onnx_runtime(&optimized))?,
            )?;
        }
        Err(error) => println!("skipped: ONNX Runtime's transformer optimizer: {error:#}"),
    }

    let folder = cache().join("onnxruntime-avx2");
    match output(
        Command::new(&python)
            .arg(script("ort_avx2.py"))
            .arg(&folder),
    ) {
        Ok(_) => {
            // ONNX Runtime uses AVX-VNNI where it is there, and so does this.
            let mut names = Isa::available().into_iter().map(Isa::name);
            let isa = names
                .rfind(|name| name.starts_with("avx2"))
                .unwrap_or("portable");
            let mut ours = native(Some(isa))?;
            println!("nearshelf: {}", ours.greeting()?);
            compare(
                &format!("native, {isa}, against ONNX Runtime INT8 without AVX-512"),
                ours,
                Peer::start(onnx_runtime(&theirs).env("PYTHONPATH", &folder))?,
            )?;
        }
        Err(error) => println!("skipped: ONNX Runtime without AVX-512: {error:#}"),
    }

    throughput(&python, &model, &theirs)?;
    in_wasm(&model, &theirs)
}

/// A program that measures: it reads numbers of tokens and answers each with a median in ms.
struct Peer {
    child: Child,
    answers: BufReader<std::process::ChildStdout>,
}

impl Peer {
    fn start(command: &mut Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let answers = BufReader::new(child.stdout.take().context("an output")?);
        Ok(Peer { child, answers })
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        ensure!(!line.is_empty(), "the peer ended before it answered");
        Ok(line.trim().to_owned())
    }

    /// The peer's description of itself, sent before the first question.
    fn greeting(&mut self) -> Result<String> {
        self.line()
    }

    fn median(&mut self, tokens: usize) -> Result<f64> {
        writeln!(self.child.stdin.as_mut().context("an input")?, "{tokens}")?;
        self.line()?.parse().context("a time")
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It waits for a question that will not come.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn compare(what: &str, mut ours: Peer, mut theirs: Peer) -> Result<()> {
    let mut rows = Vec::new();
    for tokens in TOKENS {
        let (mut a, mut b) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            a.push(ours.median(tokens)?);
            b.push(theirs.median(tokens)?);
        }
        a.sort_by(f64::total_cmp);
        b.sort_by(f64::total_cmp);
        rows.push((tokens, a[ROUNDS / 2], b[ROUNDS / 2]));
    }
    print_table(what, &rows);
    Ok(())
}

fn print_table(what: &str, rows: &[(usize, f64, f64)]) {
    println!("\n{what}: one text, 1 thread, medians in ms");
    println!(
        "{:>8} {:>10} {:>10} {:>8}",
        "tokens", "nearshelf", "theirs", "ratio"
    );
    for (tokens, ours, theirs) in rows {
        println!(
            "{tokens:>8} {ours:>10.3} {theirs:>10.3} {:>8.2}",
            ours / theirs
        );
    }
}

/// The hidden end of a [`Peer`] of ours.
pub fn latency(model: &Path) -> Result<()> {
    let start = Instant::now();
    let encoder = Encoder::open(model)?;
    encoder.encode("rain jacket")?;
    let load = start.elapsed().as_secs_f64() * 1e3;
    let size = std::fs::metadata(model.join("network.nsn"))?.len() as f64;
    let resident = memory("VmRSS")?;
    println!(
        "{}; {load:.1} ms from opening to the first vector; {:.1} MB resident, {:.2} × the model \
         ({:.1} MB of it on the heap, the rest is code and mapped pages)",
        encoder.fusion(),
        resident / 1e6,
        resident / size,
        memory("RssAnon")? / 1e6,
    );
    for line in std::io::stdin().lines() {
        // One token a word, and the two special ones.
        let tokens: usize = line?.parse()?;
        let text = vec!["warm"; tokens - 2].join(" ");
        ensure!(
            encoder.tokenize(&text)?.len() == tokens,
            "expected {tokens} tokens"
        );
        let mut times = Vec::new();
        for run in 0..RUNS + 3 {
            let start = Instant::now();
            encoder.encode(&text)?;
            if run >= 3 {
                times.push(start.elapsed());
            }
        }
        println!("{:.4}", median(times).as_secs_f64() * 1e3);
    }
    Ok(())
}

/// A line of /proc/self/status, in bytes.
fn memory(name: &str) -> Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let kib = line.map_or("0", |line| line.trim().trim_end_matches(" kB"));
    Ok(kib.parse::<f64>()? * 1024.0)
}

/// Titles a second on two threads.
fn throughput(python: &Path, model: &Path, theirs: &Path) -> Result<()> {
    let Some(data) = shared_data() else {
        println!("skipped: throughput on the shared catalog, which is not there");
        return Ok(());
    };
    let script = root().join("crates/bench/python/titles.py");
    let file = cache().join("bench").join("throughput.txt");
    std::fs::create_dir_all(cache().join("bench"))?;
    let mut select = Command::new(python);
    select.arg(script).arg(data.join("catalog_titles.jsonl.gz"));
    output(select.arg(TITLES.to_string()).arg(&file))?;
    let text = std::fs::read_to_string(&file)?;
    let titles: Vec<&str> = text.lines().collect();

    let encoder = Encoder::open(model)?;
    let start = Instant::now();
    encoder.encode_batch(&titles, 2, &|_| ())?;
    let ours = titles.len() as f64 / start.elapsed().as_secs_f64();
    let script = root().join("crates/bench/python/ort_throughput.py");
    let mut command = Command::new(python);
    command
        .arg(script)
        .arg(theirs)
        .arg(model.join("tokenizer.json"))
        .arg(&file);
    let answer = output(&mut command)?;
    let (batch, theirs) = answer.split_once(' ').context("a batch size and a rate")?;
    let theirs: f64 = theirs.parse()?;
    println!(
        "\n{} titles on 2 threads: {ours:.0} a second, ONNX Runtime with its best batch of {batch}: \
         {theirs:.0}; ratio {:.2}",
        titles.len(),
        ours / theirs
    );
    Ok(())
}

fn in_wasm(model: &Path, theirs: &Path) -> Result<()> {
    if !web::build()? {
        return Ok(());
    }
    let modules = setup::npm(&["onnxruntime-web", "playwright-core"])?;
    let shelf = root().join("assets/demo");
    let demo = nearshelf::Shelf::open(&shelf)?;
    let demo = shelf.join(&demo.manifest().encoder.files()[0].name);
    let script = |name: &str| root().join("crates/bench/js").join(name);
    for (node, name) in [
        (PathBuf::from("node"), "the machine's"),
        (setup::node()?, "npm's"),
    ] {
        let version = output(Command::new(&node).arg("--version"))?;
        for build in NETWORK_BUILDS {
            let module = web::directory(build);
            let start = |arguments: &[&Path]| {
                let mut command = Command::new(&node);
                command.arg(script("node_latency.mjs")).args(arguments);
                Peer::start(
                    command
                        .current_dir(modules.join(".."))
                        .stderr(Stdio::null()),
                )
            };
            let mut ours = start(&[Path::new("ours"), &module, model])?;
            if ours.median(8).is_err() {
                println!("\nskipped: {build} in Node {version}, which does not know it");
                continue;
            }
            compare(
                &format!("{build}, Node {version} ({name}), against onnxruntime-web INT8"),
                ours,
                start(&[Path::new("onnxruntime"), theirs])?,
            )?;
        }
    }
    for build in NETWORK_BUILDS {
        let mut command = Command::new(setup::node()?);
        command
            .arg(script("chromium_latency.mjs"))
            .arg(web::directory(build));
        command.args([model, &demo, theirs, &modules]);
        match output(&mut command) {
            Err(error) => println!("\nskipped: Chromium: {error:#}"),
            Ok(answer) => {
                let mut rows = Vec::new();
                for line in answer.lines() {
                    match line.split(['\t', ' ']).collect::<Vec<_>>()[..] {
                        ["load", the, whose, ms] => println!(
                            "\nChromium, {build}: {ms} ms from the bytes of {the} {whose} network to the first vector"
                        ),
                        [tokens, a, b] => rows.push((tokens.parse()?, a.parse()?, b.parse()?)),
                        _ => println!("{line}"),
                    }
                }
                print_table(
                    &format!("{build}, Chromium, against onnxruntime-web INT8"),
                    &rows,
                );
            }
        }
    }
    Ok(())
}
