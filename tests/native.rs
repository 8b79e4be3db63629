//! The C library as programs use it: the examples, every mistake, many threads, what it exports and what it links.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nearshelf::{SearchOptions, Shelf};
use support::{demo, outcome, root, set_up, varied_texts};

/// Bytes of the shared library, stripped, at most.
const SHARED_BUDGET: u64 = 12_000_000;

fn prefix(test: &str) -> Option<PathBuf> {
    set_up(test, "NEARSHELF_PREFIX")
}

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("native");
    fs::create_dir_all(&folder).unwrap();
    folder.join(name)
}

fn done(command: &mut Command) -> String {
    let (code, out, error) = outcome(command);
    assert_eq!(code, 0, "{command:?}\n{out}\n{error}");
    out
}

/// The flags of pkg-config, or the same without it.
fn flags(prefix: &Path, fixed: bool) -> Vec<String> {
    let mut command = Command::new("pkg-config");
    command
        .env("PKG_CONFIG_PATH", prefix.join("lib/pkgconfig"))
        .args(["--cflags", "--libs", "nearshelf"]);
    if fixed {
        command.arg("--static");
    }
    match command.output() {
        Ok(output) => {
            assert!(output.status.success(), "{output:?}");
            let text = String::from_utf8(output.stdout).unwrap();
            text.split_whitespace().map(str::to_owned).collect()
        }
        Err(_) => {
            println!("skipped: pkg-config, which is not on this machine");
            let mut flags = vec![
                format!("-I{}", prefix.join("include").display()),
                format!("-L{}", prefix.join("lib").display()),
                "-lnearshelf".into(),
            ];
            if fixed {
                flags.extend(["-lm".into(), "-lpthread".into()]);
            }
            flags
        }
    }
}

/// Compiles a program against the shared library.
fn compile(prefix: &Path, compiler: &str, source: &Path, name: &str, more: &[&str]) -> PathBuf {
    let program = folder(name);
    let run_path = format!("-Wl,-rpath,{}", prefix.join("lib").display());
    done(
        Command::new(compiler)
            .args(["-O2", "-Wall", "-Wextra", "-Werror", "-o"])
            .arg(&program)
            .arg(source)
            .args(more)
            .args(flags(prefix, false))
            .arg(run_path),
    );
    program
}

/// Compiles one against the static library, with nothing but libc, libm and pthread.
fn compile_static(prefix: &Path, source: &Path, name: &str, more: &[&str]) -> PathBuf {
    let program = folder(name);
    let archive = prefix.join("lib/libnearshelf.a");
    done(
        Command::new("cc")
            .args(["-O1", "-g", "-Wall", "-Wextra", "-Werror", "-I"])
            .arg(prefix.join("include"))
            .arg("-o")
            .arg(&program)
            .arg(source)
            .args(more)
            .arg(archive)
            .args(["-lm", "-lpthread"]),
    );
    program
}

/// `id score` of the golden queries, as the C example prints them.
fn golden_answers(program: &Path) -> String {
    let mut child = Command::new(program)
        .arg(demo())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let queries = varied_texts().join("\n") + "\n";
    let writer = std::thread::spawn(move || input.write_all(queries.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

/// Whether ids and scores are those of the library, to the last bit.
fn check_golden(answers: &str) {
    let shelf = Shelf::open(demo()).unwrap();
    let texts = varied_texts();
    let mut blocks = answers
        .split_terminator("\n\n")
        .map(|block| block.trim_start_matches('\n'));
    let mut checked = 0;
    for text in &texts {
        let hits = shelf.search(text, 10).unwrap().hits;
        let found: Vec<(String, f32)> = blocks
            .next()
            .unwrap()
            .lines()
            .map(|line| {
                let (id, score) = line.rsplit_once(' ').unwrap();
                (id.to_owned(), score.parse().unwrap())
            })
            .collect();
        let expected: Vec<(String, f32)> = hits
            .iter()
            .map(|hit| (hit.id.to_owned(), hit.score))
            .collect();
        assert_eq!(found, expected, "{text}");
        checked += 1;
    }
    assert_eq!(checked, 200);
}

#[test]
fn the_c_example_answers_as_the_command_line_does() {
    let Some(prefix) = prefix("the C example") else {
        return;
    };
    let source = root().join("native/examples/search.c");
    let shared = compile(&prefix, "cc", &source, "search-shared", &["-std=c11"]);
    check_golden(&golden_answers(&shared));
    let fixed = compile_static(&prefix, &source, "search-static", &["-std=c11"]);
    check_golden(&golden_answers(&fixed));
    let out = done(
        Command::new(&shared)
            .arg(demo())
            .arg("something warm for a rainy hike"),
    );
    assert!(out.lines().count() == 10 && out.contains("demo-"), "{out}");
    let (code, _, error) = outcome(Command::new(&shared).args(["/nowhere", "tent"]));
    assert_eq!(code, 1);
    assert!(error.starts_with("open: /nowhere/shelf.nsm: "), "{error}");
}

#[test]
fn the_cpp_example_finds_more_like_its_first_hit() {
    let Some(prefix) = prefix("the C++ example") else {
        return;
    };
    let source = root().join("native/examples/search.cpp");
    let program = compile(&prefix, "c++", &source, "search-cpp", &["-std=c++17"]);
    let out = done(Command::new(&program).arg(demo()).arg("red wine glasses"));
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 5 + 2 + 3, "{out}");
    // It is no hit itself.
    let id = |line: &str| line.split("  ").nth(1).unwrap().to_owned();
    let shelf = Shelf::open(demo()).unwrap();
    let options = SearchOptions {
        k: 3,
        ..Default::default()
    };
    let similar = shelf.similar(&id(lines[0]), &options).unwrap().hits;
    let ids: Vec<String> = lines[7..].iter().map(|line| id(line)).collect();
    assert_eq!(
        ids,
        similar.iter().map(|hit| hit.id).collect::<Vec<_>>(),
        "{out}"
    );
    let (code, _, error) = outcome(Command::new(&program).args(["/nowhere", "tent"]));
    assert!(code == 1 && error.contains("/nowhere"), "{error}");
}

#[test]
fn python_calls_it_through_ctypes() {
    let Some(prefix) = prefix("the Python example") else {
        return;
    };
    let query = "something warm for a rainy hike";
    let out = done(
        Command::new("python3")
            .arg(root().join("native/examples/search.py"))
            .arg(prefix.join("lib/libnearshelf.so"))
            .arg(demo())
            .arg(query),
    );
    let shelf = Shelf::open(demo()).unwrap();
    let hits = shelf.search(query, 10).unwrap().hits;
    for (line, hit) in out.lines().zip(&hits) {
        let (score, rest) = line.split_once(' ').unwrap();
        assert_eq!(score.parse::<f32>().unwrap(), hit.score, "{line}");
        assert!(rest.starts_with(hit.id), "{line}");
    }
    assert_eq!(out.lines().count(), hits.len());
}

#[test]
fn mistakes_have_codes_under_the_address_sanitizer() {
    let Some(prefix) = prefix("misuse of the C library") else {
        return;
    };
    let source = root().join("tests/native/misuse.c");
    // Leaks are errors too. A system call that is refused is no leak: containers forbid what the checker wants.
    let program = compile_static(
        &prefix,
        &source,
        "misuse",
        &["-fsanitize=address,undefined"],
    );
    let names: Vec<_> = fs::read_dir(demo())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        // Those for tools and for pages.
        .filter(|name| {
            ![".nsi", ".nsf"]
                .iter()
                .any(|end| name.to_string_lossy().ends_with(end))
        })
        .collect();
    let run = |options: &str| {
        let mut command = Command::new(&program);
        outcome(
            command
                .arg(demo())
                .args(&names)
                .env("ASAN_OPTIONS", options),
        )
    };
    let (mut code, mut out, mut error) = run("detect_leaks=1");
    if error.contains("LeakSanitizer has encountered a fatal error") {
        println!("skipped: leaks, which cannot be looked for in this container");
        (code, out, error) = run("detect_leaks=0");
    }
    assert_eq!(code, 0, "{error}");
    assert!(out.contains("every mistake has its code"), "{out}{error}");
    // In C++ the header is the same.
    let shared = compile(
        &prefix,
        "c++",
        &write_cpp(),
        "header-in-cpp",
        &["-std=c++17"],
    );
    done(&mut Command::new(shared));
}

/// A program that only includes the header.
fn write_cpp() -> PathBuf {
    let path = folder("header.cpp");
    let text =
        "#include <nearshelf.h>\nint main() { return nearshelf_abi() == NEARSHELF_ABI ? 0 : 1; }\n";
    fs::write(&path, text).unwrap();
    path
}

#[test]
fn threads_share_a_shelf() {
    let Some(prefix) = prefix("threads in C") else {
        return;
    };
    let source = root().join("tests/native/threads.c");
    let program = compile(
        &prefix,
        "cc",
        &source,
        "threads",
        &["-std=c11", "-D_GNU_SOURCE", "-pthread"],
    );
    print!(
        "{}",
        done(Command::new(program).arg(demo()).args(["8", "10000"]))
    );
}

#[test]
fn only_the_abi_is_exported() {
    let Some(prefix) = prefix("the C library's symbols") else {
        return;
    };
    let names = |arguments: &[&str], file: &str| -> Vec<String> {
        let mut nm = Command::new("nm");
        let out = done(nm.args(arguments).arg(prefix.join("lib").join(file)));
        out.lines()
            .filter_map(|line| line.split_whitespace().next())
            .filter(|name| !name.ends_with(':'))
            .map(str::to_owned)
            .collect()
    };
    let header = fs::read_to_string(prefix.join("include/nearshelf.h")).unwrap();
    let shared = names(&["-D", "--defined-only", "-j"], "libnearshelf.so");
    let fixed = names(&["--defined-only", "--extern-only", "-j"], "libnearshelf.a");
    for symbols in [&shared, &fixed] {
        assert!(!symbols.is_empty());
        for name in symbols {
            assert!(name.starts_with("nearshelf_"), "{name} is exported");
            assert!(
                header.contains(&format!("{name}(")),
                "{name} is not in the header"
            );
        }
    }
    assert_eq!(
        shared.iter().collect::<std::collections::BTreeSet<_>>(),
        fixed.iter().collect()
    );
    let path = prefix.join("lib/libnearshelf.so");
    let bytes = fs::metadata(&path).unwrap().len();
    println!("libnearshelf.so: {bytes} bytes");
    assert!(bytes <= SHARED_BUDGET, "{bytes} bytes");
    let needed = done(Command::new("objdump").arg("-p").arg(&path));
    let needed: Vec<&str> = needed
        .lines()
        .filter_map(|line| line.trim().strip_prefix("NEEDED"))
        .map(str::trim)
        .collect();
    println!("libnearshelf.so needs {needed:?}");
    let known = ["libc.", "libm.", "libgcc_s.", "libpthread.", "ld-linux"];
    for library in needed {
        assert!(
            known.iter().any(|known| library.starts_with(known)),
            "{library}"
        );
    }
}

#[test]
fn the_header_in_the_repository_is_the_library_s() {
    let Some(prefix) = prefix("the header") else {
        return;
    };
    for name in ["nearshelf.h", "nearshelf.hpp"] {
        let installed = fs::read(prefix.join("include").join(name)).unwrap();
        let ours = fs::read(root().join("native/include").join(name)).unwrap();
        assert!(installed == ours, "{name}: run `cargo xtask native`");
    }
}

#[test]
fn cmake_finds_it() {
    let test = "the CMake package";
    let Some(prefix) = prefix(test) else { return };
    // The machine's own, or the Python package.
    let from_python = set_up(test, "NEARSHELF_PYTHON").map(|python| python.with_file_name("cmake"));
    let known = |path: &PathBuf| Command::new(path).arg("--version").output().is_ok();
    let Some(cmake) = [Some(PathBuf::from("cmake")), from_python]
        .into_iter()
        .flatten()
        .find(known)
    else {
        println!("skipped: {test}: there is no cmake on this machine");
        return;
    };
    let project = folder("cmake");
    let _ = fs::remove_dir_all(&project);
    fs::create_dir_all(&project).unwrap();
    let source = root()
        .join("native/examples/search.c")
        .canonicalize()
        .unwrap();
    let text = format!(
        "cmake_minimum_required(VERSION 3.16)\nproject(example C)\nfind_package(nearshelf 0.1 REQUIRED)\n\
         foreach(kind nearshelf static)\nadd_executable(search-${{kind}} {})\n\
         target_link_libraries(search-${{kind}} nearshelf::${{kind}})\nendforeach()\n",
        source.display()
    );
    fs::write(project.join("CMakeLists.txt"), text).unwrap();
    let configure = format!("-DCMAKE_PREFIX_PATH={}", prefix.display());
    done(
        Command::new(&cmake)
            .current_dir(&project)
            .args([&configure, "-B", "build", "."]),
    );
    done(
        Command::new(&cmake)
            .current_dir(&project)
            .args(["--build", "build"]),
    );
    for kind in ["nearshelf", "static"] {
        let program = project.join(format!("build/search-{kind}"));
        let out = done(Command::new(program).arg(demo()).arg("tent"));
        assert_eq!(out.lines().count(), 10);
    }
}
