//! Arbitrary calls of the C ABI on the demo shelf: each gives a status, none panics or touches what it must not.
#![no_main]

use std::ffi::{CString, c_char};
use std::ptr::{null, null_mut, without_provenance};
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use nearshelf_native::*;

/// The demo's handle, as a number.
fn demo() -> usize {
    static DEMO: OnceLock<usize> = OnceLock::new();
    *DEMO.get_or_init(|| {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../assets/demo");
        let path = CString::new(path).unwrap();
        let mut shelf = null_mut();
        let status = unsafe { nearshelf_open(NEARSHELF_ABI, path.as_ptr(), &mut shelf) };
        assert!(status == NearshelfStatus::Ok);
        shelf.addr()
    })
}

/// Eats numbers from the front of the bytes.
fn number(data: &mut &[u8]) -> usize {
    let Some((raw, rest)) = data.split_first_chunk::<8>() else {
        *data = &[];
        return 0;
    };
    *data = rest;
    // Small ones and the limits come often.
    let value = u64::from_le_bytes(*raw) as usize;
    match value % 4 {
        0 => value >> 2,
        1 => (value >> 2) % 16,
        2 => usize::MAX - (value >> 2) % 4,
        _ => (value >> 2) % 8192,
    }
}

/// A text, or NULL.
fn said(text: &CString, is_given: usize) -> *const c_char {
    if is_given == 0 { null() } else { text.as_ptr() }
}

fn looked_at(status: NearshelfStatus, hits: *mut NearshelfHits) {
    if status != NearshelfStatus::Ok {
        return;
    }
    let found = unsafe { &*hits };
    for i in 0..found.count {
        let hit = unsafe { &*found.hits.add(i) };
        let id = unsafe { std::ffi::CStr::from_ptr(hit.id) };
        assert!(id.to_bytes().len() <= hit.id_length);
    }
    for i in 0..found.facet_count {
        let facet = unsafe { &*found.facets.add(i) };
        for j in 0..facet.count {
            let count = unsafe { &*facet.counts.add(j) };
            let value = unsafe { std::slice::from_raw_parts(count.value.data.cast::<u8>(), count.value.length) };
            assert!(std::str::from_utf8(value).is_ok());
        }
    }
    unsafe { nearshelf_hits_free(hits) };
}

fuzz_target!(|data: &[u8]| {
    let mut data = data;
    while !data.is_empty() {
        let call = number(&mut data);
        // Any number as a handle is looked up, not followed.
        let handle = match number(&mut data) % 4 {
            0 => number(&mut data),
            _ => demo(),
        };
        let shelf: *const NearshelfShelf = without_provenance(handle);
        let length = number(&mut data);
        let filter = number(&mut data).min(data.len());
        let lists = data[..filter].split(|&byte| byte == 0).next().unwrap_or_default();
        let lists = CString::new(lists).expect("no NUL is left");
        let options = NearshelfSearchOptions {
            // No more than there is: what lies behind a struct is the caller's word.
            struct_size: number(&mut data).min(size_of::<NearshelfSearchOptions>()),
            k: number(&mut data) % 200,
            probe: number(&mut data),
            ef: number(&mut data) % 10_000,
            filter: if call & 4 == 0 { null() } else { data.as_ptr().cast() },
            filter_length: filter.min(data.len()),
            mode: (call >> 5) as u32 % 4,
            weight: f32::from_bits(call as u32),
            flags: (call >> 7) as u32,
            diversity: if call & 256 == 0 { 0.0 } else { f32::from_bits((call >> 3) as u32) },
            offset: number(&mut data),
            sort: said(&lists, call & 512),
            boosts: said(&lists, call & 1024),
            pin: said(&lists, call & 2048),
            hide: said(&lists, call & 4096),
            distinct: said(&lists, call & 8192),
            facets: said(&lists, call & 16384),
        };
        let options = if call & 1 == 0 { null() } else { &raw const options };
        let taken = length.min(data.len());
        let (text, rest) = data.split_at(taken);
        data = rest;
        let pointer: *const c_char = if call & 2 == 0 { text.as_ptr().cast() } else { null() };
        let mut hits = null_mut();
        let mut value = NearshelfValue {
            struct_size: size_of::<NearshelfValue>(),
            kind: NearshelfKind::Text,
            boolean: 0,
            number: 0.0,
            text: NearshelfText { data: null(), length: 0 },
            tags: 0,
        };
        unsafe {
            match (call >> 2) % 8 {
                0 => looked_at(nearshelf_search(shelf, pointer, taken, options, &mut hits), hits),
                1 => {
                    let numbers: Vec<f32> = text
                        .as_chunks::<4>()
                        .0
                        .iter()
                        .map(|raw| f32::from_le_bytes(*raw))
                        .chain(std::iter::repeat(0.25))
                        .take(if call & 1024 == 0 { 384 } else { taken / 4 })
                        .collect();
                    let status = nearshelf_search_vector(shelf, numbers.as_ptr(), numbers.len(), options, &mut hits);
                    looked_at(status, hits);
                }
                2 => {
                    let mut vector = vec![0f32; length % 1000];
                    nearshelf_encode(shelf, pointer, taken, vector.as_mut_ptr(), vector.len());
                }
                3 => {
                    let (shard, item) = (number(&mut data) as u32, number(&mut data) as u32);
                    let name = if call & 64 == 0 { c"tags" } else { c"title" };
                    nearshelf_field(shelf, shard, item, name.as_ptr(), NEARSHELF_NUL_TERMINATED, &mut value);
                    nearshelf_field(shelf, shard, item, pointer, taken, &mut value);
                    let place = number(&mut data);
                    nearshelf_tag(shelf, shard, item, c"tags".as_ptr(), 4, place, &mut value.text);
                }
                4 => {
                    let names = [c"shelf.nsm", c"model", c"tokenizer"];
                    let part = text.len() / names.len();
                    let files = names.map(|name| NearshelfFile {
                        name: name.as_ptr(),
                        data: text.as_ptr(),
                        length: part,
                    });
                    let mut opened = null_mut();
                    nearshelf_open_files(NEARSHELF_ABI, files.as_ptr(), files.len(), &mut opened);
                    if !opened.is_null() {
                        nearshelf_close(opened);
                    }
                }
                5 => looked_at(nearshelf_similar(shelf, pointer, taken, options, &mut hits), hits),
                6 => {
                    let (mut shard, mut item) = (0, 0);
                    nearshelf_get(shelf, pointer, taken, &mut shard, &mut item);
                    let ids = ["demo-00001", "demo-04998", "gone"].map(|id| NearshelfText { data: id.as_ptr().cast(), length: id.len() });
                    let asked = NearshelfRecommend {
                        struct_size: size_of::<NearshelfRecommend>(),
                        like: ids.as_ptr(),
                        like_count: length % 4,
                        unlike: ids.as_ptr(),
                        unlike_count: call % 3,
                        weights: null(),
                        text: NearshelfText { data: pointer, length: taken },
                    };
                    looked_at(nearshelf_recommend(shelf, &asked, options, &mut hits), hits);
                }
                _ => {
                    let mut name = NearshelfText { data: null(), length: 0 };
                    nearshelf_field_name(shelf, length, &mut name, &mut value.kind);
                    nearshelf_close(without_provenance::<NearshelfShelf>(length | 1).cast_mut());
                }
            }
        }
    }
});
