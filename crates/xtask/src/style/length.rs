//! The length of functions.

use syn::visit::{self, Visit};

use super::fault::Fault;

/// Lines that a function may have, from its name to its last brace.
const LINES: usize = 80;

/// Functions of a file that are longer.
pub fn faults(file: &syn::File) -> Vec<Fault> {
    let mut functions = Functions(Vec::new());
    functions.visit_file(file);
    functions.0
}

struct Functions(Vec<Fault>);

impl Functions {
    fn measure(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let first = signature.ident.span().start().line;
        let last = block.brace_token.span.close().end().line;
        let lines = last + 1 - first;
        if lines > LINES {
            let name = &signature.ident;
            self.0.push((
                first,
                format!("expected functions of {LINES} lines at most, found {name} of {lines}"),
            ));
        }
    }
}

impl Visit<'_> for Functions {
    fn visit_item_fn(&mut self, function: &syn::ItemFn) {
        self.measure(&function.sig, &function.block);
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &syn::ImplItemFn) {
        self.measure(&function.sig, &function.block);
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &syn::TraitItemFn) {
        if let Some(block) = &function.default {
            self.measure(&function.sig, block);
        }
        visit::visit_trait_item_fn(self, function);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_of_81_lines_is_found_by_its_name() {
        let of = |lines: usize| {
            let text = format!("/// Doc.\nfn long() {{\n{}}}\n", "f();\n".repeat(lines - 2));
            faults(&syn::parse_file(&text).unwrap())
        };
        assert_eq!(of(80), []);
        assert!(matches!(&of(81)[..], [(2, fault)] if fault.ends_with("long of 81")));
    }
}
