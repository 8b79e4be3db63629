//! Opening, closing, loading, verifying.

use std::collections::HashMap;
use std::ffi::c_char;
use std::path::Path;

use nearshelf::{Bytes, CatalogError, Error, MANIFEST_NAME, Shelf};

use crate::error::{NearshelfStatus, Outcome, failure, guard};
use crate::handle::{NearshelfShelf, give, open_shelf, take};
use crate::log::quiet_panics;
use crate::options::check_size;
use crate::text::{NEARSHELF_NUL_TERMINATED, room, slice, text};
use crate::version::NEARSHELF_ABI;

/// A file of a shelf in the caller's memory.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct NearshelfFile {
    /// Its name, as the directory has it, for example "shelf.nsm"; with a NUL at its end.
    pub name: *const c_char,
    /// Its bytes.
    pub data: *const u8,
    /// Their number.
    pub length: usize,
}

/// The description of a shelf.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct NearshelfAbout {
    /// sizeof(NearshelfAbout), set by the program.
    pub struct_size: usize,
    /// Items, those that are gone not counted.
    pub items: u64,
    /// Components of a vector.
    pub dims: usize,
    /// Shards.
    pub shards: usize,
    /// Fields of an item, for nearshelf_field_name.
    pub fields: usize,
}

fn check_abi(abi: u32) -> Outcome {
    if abi != NEARSHELF_ABI {
        let message = format!(
            "abi: expected {NEARSHELF_ABI}, as this library has, found {abi}: header and library are of different versions"
        );
        return failure(NearshelfStatus::WrongAbi, message);
    }
    quiet_panics();
    Ok(())
}

/// Opens the shelf in a directory: maps its files and checks headers and lengths. Nothing is read through; the encoder
/// is loaded by the first search by text, or by nearshelf_load_encoder.
///
/// `abi` is NEARSHELF_ABI. `path` is in UTF-8 with a NUL at its end. `*shelf` becomes a handle that nearshelf_close
/// frees. The files must not be changed while the shelf is open. Any thread may call this.
///
/// # Safety
/// `path` ends with a NUL, `shelf` is room for a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nearshelf_open(
    abi: u32,
    path: *const c_char,
    shelf: *mut *mut NearshelfShelf,
) -> NearshelfStatus {
    guard(|| {
        check_abi(abi)?;
        // SAFETY: the caller's word.
        let out = unsafe { room("shelf", shelf) }?;
        // SAFETY: the caller's word.
        let path = unsafe { text("path", path, NEARSHELF_NUL_TERMINATED) }?;
        *out = give(Shelf::open(Path::new(path))?);
        Ok(())
    })
}

/// Opens a shelf whose files the program holds in memory, "shelf.nsm" among them. Nothing is copied: names may go
/// when the call returns, the bytes must stay, unchanged, until nearshelf_close.
///
/// # Safety
/// `files` points to `count` files whose pointers are valid, `shelf` is room for a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nearshelf_open_files(
    abi: u32,
    files: *const NearshelfFile,
    count: usize,
    shelf: *mut *mut NearshelfShelf,
) -> NearshelfStatus {
    guard(|| {
        check_abi(abi)?;
        // SAFETY: the caller's word.
        let out = unsafe { room("shelf", shelf) }?;
        // SAFETY: the caller's word.
        let files = unsafe { slice("files", files, count) }?;
        let mut by_name: HashMap<&str, &'static [u8]> = HashMap::new();
        for file in files {
            // SAFETY: the caller's word. The bytes outlive the shelf by it; nothing else keeps them.
            unsafe {
                let name = text("files, name", file.name, NEARSHELF_NUL_TERMINATED)?;
                by_name.insert(name, slice("files, data", file.data, file.length)?);
            }
        }
        let find = |name: &str| {
            let bytes = by_name.get(name).map(|&bytes| Bytes::Static(bytes));
            bytes.ok_or_else(|| {
                Error::from(CatalogError::Io {
                    path: name.into(),
                    source: std::io::ErrorKind::NotFound.into(),
                })
            })
        };
        let manifest = find(MANIFEST_NAME)?;
        *out = give(Shelf::from_files(&manifest, |file| find(&file.name))?);
        Ok(())
    })
}

/// Closes a shelf. Hits that it gave stay; texts of its fields go. A search of another thread that is running is
/// answered; later calls with the handle give NEARSHELF_STATUS_CLOSED. NULL is nothing to close.
///
/// # Safety
/// Texts that lie in the shelf are not looked at any more.
#[unsafe(no_mangle)]
pub extern "C" fn nearshelf_close(shelf: *mut NearshelfShelf) -> NearshelfStatus {
    guard(|| match shelf.is_null() {
        true => Ok(()),
        false => take(shelf),
    })
}

/// Loads the encoder now, some milliseconds, instead of with the first search by text.
///
#[unsafe(no_mangle)]
pub extern "C" fn nearshelf_load_encoder(shelf: *const NearshelfShelf) -> NearshelfStatus {
    guard(|| {
        open_shelf(shelf)?.encoder()?;
        Ok(())
    })
}

/// Reads every byte of the shelf and compares it with what was written.
///
#[unsafe(no_mangle)]
pub extern "C" fn nearshelf_verify(shelf: *const NearshelfShelf) -> NearshelfStatus {
    guard(|| {
        open_shelf(shelf)?.verify()?;
        Ok(())
    })
}

/// Writes the description of the shelf into `*about`, whose `struct_size` the program set.
///
/// # Safety
/// `about` is a NearshelfAbout.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nearshelf_about(
    shelf: *const NearshelfShelf,
    about: *mut NearshelfAbout,
) -> NearshelfStatus {
    guard(|| {
        // SAFETY: the caller's word.
        let (shelf, out) = (open_shelf(shelf)?, unsafe { room("about", about) }?);
        check_size::<NearshelfAbout>("about", out.struct_size)?;
        let manifest = shelf.manifest();
        *out = NearshelfAbout {
            struct_size: out.struct_size,
            items: shelf.total() as u64,
            dims: manifest.dims as usize,
            shards: manifest.shards.len(),
            fields: manifest.fields.len(),
        };
        Ok(())
    })
}
