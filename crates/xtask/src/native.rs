//! The C library, its header, its packages for pkg-config and CMake, installed under a prefix.

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX, OS};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};

use crate::shell::{cache, cargo, output, root, run as run_command, target, tool};

/// The header that the repository holds, made anew and compared.
const HEADER: &str = "native/include/nearshelf.h";

/// Where everything is installed unless it is said.
pub fn prefix() -> PathBuf {
    cache().join("native")
}

/// Builds and installs.
pub fn install(prefix: &Path) -> Result<()> {
    let header = header()?;
    let [shared, archive] = libraries()?;
    let (include, lib) = (prefix.join("include"), prefix.join("lib"));
    fs::create_dir_all(&include)?;
    fs::write(include.join("nearshelf.h"), &header)?;
    let copied = "nearshelf.hpp";
    fs::copy(
        root().join("native/include").join(copied),
        include.join(copied),
    )?;

    let shared_name = format!("{DLL_PREFIX}nearshelf{DLL_SUFFIX}");
    let archive_name = match OS {
        "windows" => "nearshelf.lib",
        _ => "libnearshelf.a",
    };
    fs::create_dir_all(lib.join("pkgconfig"))?;
    fs::create_dir_all(lib.join("cmake/nearshelf"))?;
    fs::copy(shared, lib.join(&shared_name))?;
    install_archive(&archive, &lib.join(archive_name))?;
    for (template, to) in [
        ("nearshelf.pc.in", "pkgconfig/nearshelf.pc"),
        (
            "nearshelfConfig.cmake.in",
            "cmake/nearshelf/nearshelfConfig.cmake",
        ),
        (
            "nearshelfConfigVersion.cmake.in",
            "cmake/nearshelf/nearshelfConfigVersion.cmake",
        ),
    ] {
        let text = fs::read_to_string(root().join("native").join(template))?
            .replace("@VERSION@", env!("CARGO_PKG_VERSION"))
            .replace("@SHARED@", &shared_name)
            .replace("@IMPORT@", "nearshelf.dll.lib")
            .replace("@STATIC@", archive_name);
        fs::write(lib.join(to), text)?;
    }
    println!("{}", prefix.display());
    Ok(())
}

/// The header that cbindgen makes, which is also the one in the repository: a difference is written there.
fn header() -> Result<String> {
    let made = cache().join("nearshelf.h");
    let arguments = [
        ("--crate", root().join("crates/native")),
        ("--config", root().join("native/cbindgen.toml")),
        ("--out", made.clone()),
    ];
    let mut command = tool("nearshelf-bindings");
    command.arg("header");
    for (name, value) in arguments {
        command.arg(name).arg(value);
    }
    fs::create_dir_all(cache())?;
    run_command(&mut command)?;
    let header = fs::read_to_string(made)?;
    let path = root().join(HEADER);
    if fs::read_to_string(&path).ok().as_ref() != Some(&header) {
        fs::write(&path, &header)?;
        println!("{HEADER} is new");
    }
    Ok(header)
}

/// The shared and the static library as the compiler leaves them.
fn libraries() -> Result<[PathBuf; 2]> {
    let mut command = cargo();
    command
        .args([
            "rustc",
            "--profile",
            "native",
            "--package",
            "nearshelf-native",
            "--features",
            "own-panics",
        ])
        .args(["--crate-type", "cdylib,staticlib"]);
    if OS == "linux" {
        let soname = format!("-Clink-arg=-Wl,-soname,{DLL_PREFIX}nearshelf{DLL_SUFFIX}");
        // Functions of the same code, of which generic code makes many, become one.
        let fold = "-Clink-arg=-Wl,--icf=all";
        // Vtables are relocated by ranges, 0.8 MB less: glibc knows that since 2.36.
        let pack = "-Clink-arg=-Wl,-z,pack-relative-relocs";
        command.args(["--", &soname, fold, pack, "-Cstrip=symbols"]);
    }
    run_command(&mut command)?;
    let built = target().join("native");
    Ok([
        built.join(format!("{DLL_PREFIX}nearshelf_native{DLL_SUFFIX}")),
        match OS {
            "windows" => built.join("nearshelf_native.lib"),
            _ => built.join("libnearshelf_native.a"),
        },
    ])
}

/// Installs the static library. On Linux it becomes one object whose only global names are those of the ABI: two
/// libraries made with Rust can then be linked into one program.
fn install_archive(from: &Path, to: &Path) -> Result<()> {
    if OS != "linux" {
        fs::copy(from, to)?;
        return Ok(());
    }
    let object = cache().join("nearshelf.o");
    let symbols = output(
        Command::new("nm")
            .args(["--defined-only", "--extern-only", "-j"])
            .arg(from),
    )?;
    let mut linker = Command::new("cc");
    linker.args(["-r", "-nostdlib", "-Wl,--gc-sections", "-Wl,-z,noexecstack"]);
    let abi: Vec<&str> = symbols
        .lines()
        .filter(|name| name.starts_with("nearshelf_"))
        .collect();
    ensure!(
        !abi.is_empty(),
        "{}: no function of the ABI",
        from.display()
    );
    for name in &abi {
        linker.arg(format!("-Wl,--undefined={name}"));
    }
    run_command(linker.arg(from).arg("-o").arg(&object))?;
    run_command(
        Command::new("objcopy")
            .args([
                "--wildcard",
                "--keep-global-symbol=nearshelf_*",
                "--strip-debug",
            ])
            // The compiler's own form of the standard library's code, which tools' plugins stumble over.
            .arg("--remove-section=.llvm*")
            .arg(&object),
    )?;
    let _ = fs::remove_file(to);
    run_command(Command::new("ar").arg("crsD").arg(to).arg(&object))
}
