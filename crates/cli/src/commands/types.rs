//! `nearshelf types`.

use anyhow::Result;
use nearshelf::FieldKind;

use crate::args::TypesArgs;
use crate::commands::open_or_demo;
use crate::output::print;

pub fn run(args: &TypesArgs) -> Result<()> {
    let shelf = open_or_demo(args.shelf.as_deref())?;
    let manifest = shelf.manifest();
    let mut text = format!(
        "/** Fields of the shelf's items: `openShelf<{}>(…)`. Written by `nearshelf types`. */\nexport interface {} {{\n",
        args.name, args.name
    );
    for field in &manifest.fields {
        let kind = match field.kind {
            FieldKind::Text => "string",
            FieldKind::Number => "number",
            FieldKind::Bool => "boolean",
            FieldKind::Tags => "string[]",
        };
        // A name of any characters, as JSON writes it, is one that TypeScript reads.
        let name = serde_json::to_string(&field.name)?;
        let may_lack = if field.stats.present < shelf.len() as u64 {
            "?"
        } else {
            ""
        };
        text += &format!("  {name}{may_lack}: {kind};\n");
    }
    print(&(text + "}\n"))
}
