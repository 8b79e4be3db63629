//! Fields of items.

use std::ffi::c_char;

use nearshelf::{FieldKind, Shelf, ValueRef};

use crate::error::{NearshelfStatus, Outcome, failure, guard};
use crate::handle::{NearshelfShelf, open_shelf};
use crate::options::check_size;
use crate::text::{NearshelfText, room, text};

/// The type of a field.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NearshelfKind {
    /// A text.
    Text = 0,
    /// A number.
    Number = 1,
    /// True or false.
    Bool = 2,
    /// A list of texts.
    Tags = 3,
}

/// The value of a field.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct NearshelfValue {
    /// sizeof(NearshelfValue), set by the program.
    pub struct_size: usize,
    /// Which of the following counts.
    pub kind: NearshelfKind,
    /// 1 for true, of a bool.
    pub boolean: i32,
    /// Of a number.
    pub number: f64,
    /// Of a text: it lies in the shelf.
    pub text: NearshelfText,
    /// Of tags: how many, for nearshelf_tag.
    pub tags: usize,
}

fn kind(kind: FieldKind) -> NearshelfKind {
    match kind {
        FieldKind::Text => NearshelfKind::Text,
        FieldKind::Number => NearshelfKind::Number,
        FieldKind::Bool => NearshelfKind::Bool,
        FieldKind::Tags => NearshelfKind::Tags,
    }
}

fn value<'a>(shelf: &'a Shelf, shard: u32, item: u32, name: &str) -> Outcome<ValueRef<'a>> {
    let fields = &shelf.manifest().fields;
    if !fields.iter().any(|field| field.name == name) {
        let known: Vec<&str> = fields.iter().map(|field| &*field.name).collect();
        let message = format!("field: expected one of {known:?}, found {name:?}");
        return failure(NearshelfStatus::NoValue, message);
    }
    shelf.value(shard, item, name).map_or_else(
        || {
            let message = format!("shard {shard}, item {item}: no value of field {name:?}");
            failure(NearshelfStatus::NoValue, message)
        },
        Ok,
    )
}

/// The value of an item's field, into `*value`, whose `struct_size` the program set. `shard` and `item` are those of a
/// hit. `name` is of `length` bytes, or NEARSHELF_NUL_TERMINATED. NEARSHELF_STATUS_NO_VALUE where the item has none.
/// Nothing is copied: a text lies in the shelf. Any number of threads may ask.
///
/// # Safety
/// `name` is as said, `value` is a NearshelfValue.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nearshelf_field(
    shelf: *const NearshelfShelf,
    shard: u32,
    item: u32,
    name: *const c_char,
    length: usize,
    value: *mut NearshelfValue,
) -> NearshelfStatus {
    guard(|| {
        let shelf = open_shelf(shelf)?;
        // SAFETY: the first field is the size. The struct is not read as one: its kind may hold anything yet.
        let size = *unsafe { room("value", value.cast::<usize>()) }?;
        check_size::<NearshelfValue>("value", size)?;
        // SAFETY: the caller's word.
        let name = unsafe { text("name", name, length) }?;
        let mut found = NearshelfValue {
            struct_size: size,
            kind: NearshelfKind::Text,
            boolean: 0,
            number: 0.0,
            text: NearshelfText::none(),
            tags: 0,
        };
        match self::value(&shelf, shard, item, name)? {
            ValueRef::Text(text) => found.text = NearshelfText::of(text),
            ValueRef::Number(number) => {
                found.kind = NearshelfKind::Number;
                found.number = number;
            }
            ValueRef::Bool(boolean) => {
                found.kind = NearshelfKind::Bool;
                found.boolean = boolean.into();
            }
            ValueRef::Tags(tags) => {
                found.kind = NearshelfKind::Tags;
                found.tags = tags.len();
            }
        }
        // SAFETY: room for a NearshelfValue, by the caller's word and its size.
        unsafe { value.write(found) };
        Ok(())
    })
}

/// A tag of an item's field, by its place, into `*tag`: it lies in the shelf.
///
/// # Safety
/// `name` is of `length` bytes or NEARSHELF_NUL_TERMINATED, `tag` is room for a NearshelfText.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nearshelf_tag(
    shelf: *const NearshelfShelf,
    shard: u32,
    item: u32,
    name: *const c_char,
    length: usize,
    place: usize,
    tag: *mut NearshelfText,
) -> NearshelfStatus {
    guard(|| {
        // SAFETY: the caller's word.
        let (shelf, out) = (open_shelf(shelf)?, unsafe { room("tag", tag) }?);
        // SAFETY: the caller's word.
        let name = unsafe { text("name", name, length) }?;
        if let ValueRef::Tags(tags) = value(&shelf, shard, item, name)?
            && let Some(found) = tags.get(place)
        {
            *out = NearshelfText::of(found);
            return Ok(());
        }
        let message = format!("shard {shard}, item {item}: no tag {place} of field {name:?}");
        failure(NearshelfStatus::NoValue, message)
    })
}

/// Name and type of a field, by its place: below the `fields` of nearshelf_about. The name lies in the shelf.
///
/// # Safety
/// `name` and `kind` are room for what they hold.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nearshelf_field_name(
    shelf: *const NearshelfShelf,
    place: usize,
    name: *mut NearshelfText,
    kind: *mut NearshelfKind,
) -> NearshelfStatus {
    guard(|| {
        // SAFETY: the caller's word.
        let (shelf, name) = (open_shelf(shelf)?, unsafe { room("name", name) }?);
        // SAFETY: as above; as a number, because the caller's may hold anything yet.
        let kind_room = unsafe { room("kind", kind.cast::<i32>()) }?;
        let fields = &shelf.manifest().fields;
        let Some(field) = fields.get(place) else {
            let message = format!("place: expected one below {}, found {place}", fields.len());
            return failure(NearshelfStatus::NoValue, message);
        };
        *name = NearshelfText::of(&field.name);
        *kind_room = self::kind(field.kind) as i32;
        Ok(())
    })
}
