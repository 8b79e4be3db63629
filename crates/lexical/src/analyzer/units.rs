//! Units of measure, as they stand behind numbers: `16 GB`, `16gb`, `5 feet`.

/// Units as shops write them, and the short form that a number is joined with.
const UNITS: [(&str, &str); 75] = [
    ("a", "a"),
    ("ah", "ah"),
    ("amp", "a"),
    ("amps", "a"),
    ("btu", "btu"),
    ("cl", "cl"),
    ("cm", "cm"),
    ("ct", "ct"),
    ("dpi", "dpi"),
    ("feet", "ft"),
    ("foot", "ft"),
    ("ft", "ft"),
    ("g", "g"),
    ("gal", "gal"),
    ("gallon", "gal"),
    ("gallons", "gal"),
    ("gb", "gb"),
    ("ghz", "ghz"),
    ("gr", "g"),
    ("gram", "g"),
    ("grams", "g"),
    ("hz", "hz"),
    ("in", "in"),
    ("inch", "in"),
    ("inches", "in"),
    ("kb", "kb"),
    ("kg", "kg"),
    ("khz", "khz"),
    ("km", "km"),
    ("kva", "kva"),
    ("kw", "kw"),
    ("l", "l"),
    ("lb", "lb"),
    ("lbs", "lb"),
    ("liter", "l"),
    ("liters", "l"),
    ("litre", "l"),
    ("litres", "l"),
    ("m", "m"),
    ("mah", "mah"),
    ("mb", "mb"),
    ("meter", "m"),
    ("meters", "m"),
    ("metre", "m"),
    ("metres", "m"),
    ("mg", "mg"),
    ("mhz", "mhz"),
    ("mil", "mil"),
    ("ml", "ml"),
    ("mm", "mm"),
    ("mp", "mp"),
    ("ounce", "oz"),
    ("ounces", "oz"),
    ("oz", "oz"),
    ("pc", "pc"),
    ("pcs", "pc"),
    ("pk", "pk"),
    ("ppm", "ppm"),
    ("psi", "psi"),
    ("pt", "pt"),
    ("px", "px"),
    ("qt", "qt"),
    ("rpm", "rpm"),
    ("sq", "sq"),
    ("tb", "tb"),
    ("v", "v"),
    ("va", "va"),
    ("volt", "v"),
    ("volts", "v"),
    ("w", "w"),
    ("watt", "w"),
    ("watts", "w"),
    ("yard", "yd"),
    ("yards", "yd"),
    ("yd", "yd"),
];

/// The short form of a unit; `None` for other words.
pub(super) fn unit(word: &str) -> Option<&'static str> {
    let place = UNITS.binary_search_by(|(unit, _)| unit.cmp(&word));
    place.ok().map(|place| UNITS[place].1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_rise_and_are_found() {
        assert!(UNITS.is_sorted());
        assert_eq!(unit("inches"), Some("in"));
        assert_eq!(unit("bag"), None);
    }
}
