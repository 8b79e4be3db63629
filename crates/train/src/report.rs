//! A run as one HTML page that needs nothing else: curves, metrics, comparisons, and the queries that got
//! worse.

use std::fmt::Write;

use crate::journal::Record;
use crate::results::{EvalReport, SystemReport, Trained};

const STYLE: &str = "
:root { color-scheme: light dark; --line: #8884; --soft: #8882; --a: #2563eb; --good: #15803d; --bad: #b91c1c; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 68rem; margin: 2rem auto; padding: 0 1rem; }
h1 { margin-bottom: .2rem; } h2 { margin-top: 2.2rem; border-bottom: 1px solid var(--line); }
table { border-collapse: collapse; margin: .8rem 0; } caption { text-align: left; font-weight: 600; }
th, td { padding: .25rem .7rem; border-bottom: 1px solid var(--soft); text-align: right; }
th:first-child, td:first-child { text-align: left; } td.text { text-align: left; } .figures td { white-space: nowrap; }
.bar { display: inline-block; height: .7em; background: var(--a); border-radius: 2px; }
.good { color: var(--good); } .bad { color: var(--bad); } .soft { opacity: .7; }
svg { background: var(--soft); border-radius: 6px; max-width: 100%; }
svg text { font: 12px system-ui, sans-serif; fill: currentColor; }
.scroll { overflow-x: auto; }";

/// The page.
pub(crate) fn html(trained: &Trained, records: &[Record]) -> String {
    let mut page = String::new();
    let title = escape(&trained.title);
    let _ = write!(
        page,
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>{title}</title><style>{STYLE}</style>\n<h1>{title}</h1>\n<p>{}</p>\n",
        escape(trained.about.trim())
    );
    for eval in &trained.evals {
        eval_section(&mut page, eval);
    }
    models(&mut page, trained);
    training(&mut page, trained, records);
    page += "</html>\n";
    page
}

fn eval_section(page: &mut String, eval: &EvalReport) {
    let _ = write!(
        page,
        "<h2>{}</h2>\n<p>{} queries over {} items; {}.</p>\n<div class=\"scroll\"><table class=\"figures\"><tr><th>system<th>{}<th><th>nDCG@10 \
         exp<th>nDCG@10 lin<th>recall@10<th>MRR@10<th>against base (95 %)<th>p<th>against the one before<th>p</tr>\n",
        escape(&eval.name),
        thousands(eval.queries),
        thousands(eval.items),
        eval.metric,
        eval.metric
    );
    let largest = eval.systems.iter().map(|s| s.value).fold(1e-9, f64::max);
    for (number, system) in eval.systems.iter().enumerate() {
        let mean = &system.metrics.mean;
        let _ = write!(
            page,
            "<tr><td>{}<td><b>{:.4}</b><td style=\"width:9rem;text-align:left\"><span class=\"bar\" \
             style=\"width:{:.1}%\"></span><td>{:.4}<td>{:.4}<td>{:.4}<td>{:.4}",
            escape(&system.name),
            system.value,
            100.0 * system.value / largest,
            mean.ndcg_exponential,
            mean.ndcg_linear,
            mean.recall_capped,
            mean.mrr
        );
        let before = number.checked_sub(1).map(|n| eval.systems[n].name.as_str());
        for other in [Some("base"), before.filter(|&n| n != "base" && n != "BM25")] {
            match other.and_then(|name| system.against.get(name)) {
                None => page.push_str("<td><td>"),
                Some(c) => {
                    let class = match c.p_permutation < 0.01 {
                        false => "soft",
                        true if c.difference > 0.0 => "good",
                        true => "bad",
                    };
                    let _ = write!(
                        page,
                        "<td class=\"{class}\">{:+.4} ({:+.4} … {:+.4})<td class=\"{class}\">{}",
                        c.difference,
                        c.interval.low,
                        c.interval.high,
                        p_value(c.p_permutation.max(c.p_bootstrap))
                    );
                }
            }
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</table></div>\n<p class=\"soft\">p: the larger of a paired bootstrap's and a paired permutation test's, 10,000 rounds each.</p>\n");
    breakdown(page, eval, "queries by how often they are asked", |s| {
        s.strata
            .iter()
            .map(|(k, v)| ((*k).to_owned(), *v))
            .collect()
    });
    breakdown(page, eval, "by vertical", |s| {
        s.verticals.iter().map(|(k, v)| (k.clone(), *v)).collect()
    });
    if !eval.worst.is_empty() {
        page.push_str("<table><caption>Queries that lost most</caption><tr><th>query<th>base<th>trained<th>found now</tr>\n");
        for worst in &eval.worst {
            let query: String = worst.query.chars().take(140).collect();
            let _ = writeln!(
                page,
                "<tr><td>{}<td>{:.3}<td>{:.3}<td class=\"text\">{}</tr>",
                escape(&query),
                worst.values.0,
                worst.values.1,
                worst
                    .found
                    .iter()
                    .map(|t| escape(t))
                    .collect::<Vec<_>>()
                    .join("<br>")
            );
        }
        page.push_str("</table>\n");
    }
}

/// A table of means by some property of the queries, if there are two or more values of it.
fn breakdown(
    page: &mut String,
    eval: &EvalReport,
    caption: &str,
    parts: impl Fn(&SystemReport) -> Vec<(String, (usize, f64))>,
) {
    let Some(rows) = eval
        .systems
        .first()
        .map(&parts)
        .filter(|rows| rows.len() > 1)
    else {
        return;
    };
    let _ = write!(
        page,
        "<div class=\"scroll\"><table><caption>{} {caption}</caption><tr><th><th>queries",
        eval.metric
    );
    for system in &eval.systems {
        let _ = write!(page, "<th>{}", escape(&system.name));
    }
    page.push_str("</tr>\n");
    for (row, (name, (count, _))) in rows.iter().enumerate() {
        let _ = write!(page, "<tr><td>{}<td>{}", escape(name), thousands(*count));
        for system in &eval.systems {
            let value = parts(system)
                .get(row)
                .map_or(f64::NAN, |(_, (_, mean))| *mean);
            let _ = write!(page, "<td>{value:.4}");
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</table></div>\n");
}

fn models(page: &mut String, trained: &Trained) {
    page.push_str("<h2>Size</h2>\n<table><tr><th>model<th>f32, MB<th>INT8, MB<th>ratio<th>tokenizer, MB<th>INT8 keeps of f32</tr>\n");
    for model in &trained.models {
        let mb = |bytes: u64| bytes as f64 / 1e6;
        let keeps: Vec<String> = model
            .keeps
            .iter()
            .map(|(eval, kept)| format!("{} {:.2} %", escape(eval), 100.0 * kept))
            .collect();
        let _ = writeln!(
            page,
            "<tr><td>{}<td>{:.1}<td>{:.1}<td>{:.3}<td>{:.2}<td>{}</tr>",
            escape(&model.name),
            mb(model.bytes.0),
            mb(model.bytes.1),
            model.bytes.1 as f64 / model.bytes.0 as f64,
            mb(model.tokenizer_bytes),
            keeps.join(", ")
        );
    }
    page.push_str("</table>\n");
}

fn training(page: &mut String, trained: &Trained, records: &[Record]) {
    page.push_str(
        "<h2>Training</h2>\n<table><tr><th>stage<th>steps<th>seconds<th>queries a second</tr>\n",
    );
    for speed in &trained.speed {
        let _ = writeln!(
            page,
            "<tr><td>{}<td>{}<td>{:.0}<td>{:.1}</tr>",
            escape(&speed.stage),
            thousands(speed.steps),
            speed.seconds,
            speed.queries_per_second
        );
    }
    page.push_str("</table>\n");
    for stage in trained.speed.iter().map(|s| &s.stage) {
        let of = |value: fn(&Record) -> Option<f64>| -> Vec<(f64, f64)> {
            let own = records.iter().filter(|r| r.stage == *stage);
            own.filter_map(|r| Some((r.step as f64, value(r)?)))
                .collect()
        };
        page.push_str(&chart(
            &format!("{stage}: loss"),
            &smoothed(&of(|r| r.loss)),
        ));
        let dev = of(|r| r.dev);
        if dev.len() > 1 {
            page.push_str(&chart(&format!("{stage}: dev metric"), &dev));
        }
    }
    let data = serde_json::to_string_pretty(&trained.data).unwrap_or_default();
    let _ = writeln!(
        page,
        "<details><summary>Recipe and data</summary><pre>{}</pre></details>",
        escape(&data)
    );
}

/// Means of about a fiftieth of the points, so that a curve shows where a loss goes.
fn smoothed(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let window = (points.len() / 50).max(1);
    points
        .chunks(window)
        .map(|chunk| {
            let count = chunk.len() as f64;
            let sum = |f: fn(&(f64, f64)) -> f64| chunk.iter().map(f).sum::<f64>() / count;
            (sum(|p| p.0), sum(|p| p.1))
        })
        .collect()
}

/// A line through points.
fn chart(title: &str, points: &[(f64, f64)]) -> String {
    let (width, height, left, bottom) = (520.0, 200.0, 56.0, 24.0);
    let range = |values: &mut dyn Iterator<Item = f64>| {
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| {
            (low.min(x), high.max(x))
        })
    };
    let (x0, x1) = range(&mut points.iter().map(|p| p.0));
    let (y0, y1) = range(&mut points.iter().map(|p| p.1));
    if points.is_empty() || !(y0.is_finite() && y1.is_finite()) {
        return String::new();
    }
    let x = |v: f64| left + (v - x0) / (x1 - x0).max(1e-9) * (width - left - 12.0);
    let y = |v: f64| height - bottom - (v - y0) / (y1 - y0).max(1e-9) * (height - bottom - 30.0);
    let path: Vec<String> = points
        .iter()
        .map(|p| format!("{:.1},{:.1}", x(p.0), y(p.1)))
        .collect();
    format!(
        "<svg viewBox=\"0 0 {width} {height}\" width=\"{width}\" role=\"img\" aria-label=\"{title}\">\
         <text x=\"8\" y=\"16\">{title}</text>\
         <text x=\"4\" y=\"{:.0}\">{y1:.4}</text><text x=\"4\" y=\"{:.0}\">{y0:.4}</text>\
         <text x=\"{left}\" y=\"{:.0}\">{x0:.0}</text><text x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"end\">{x1:.0} steps</text>\
         <polyline points=\"{}\" fill=\"none\" stroke=\"var(--a)\" stroke-width=\"2\"/></svg>\n",
        y(y1) + 4.0,
        y(y0) + 4.0,
        height - 6.0,
        width - 12.0,
        height - 6.0,
        path.join(" "),
        title = escape(title),
    )
}

fn p_value(p: f64) -> String {
    if p < 0.001 {
        "&lt; 0.001".into()
    } else {
        format!("{p:.3}")
    }
}

fn thousands(n: usize) -> String {
    let digits = n.to_string();
    let groups: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .map(|group| std::str::from_utf8(group).unwrap_or_default())
        .collect();
    groups.join(",")
}

/// Text for HTML: queries and titles are whatever people wrote.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_wrote_is_text_and_not_markup() {
        assert_eq!(
            escape("<b>\"5\" & up</b>"),
            "&lt;b&gt;&quot;5&quot; &amp; up&lt;/b&gt;"
        );
    }

    #[test]
    fn a_chart_of_one_point_or_equal_ones_has_numbers_only() {
        for points in [vec![(1.0, 0.5)], vec![(1.0, 0.5), (2.0, 0.5)]] {
            let chart = chart("loss", &points);
            assert!(chart.contains("polyline") && !chart.contains("NaN") && !chart.contains("inf"));
        }
        assert!(chart("loss", &[]).is_empty());
    }

    #[test]
    fn numbers_have_groups() {
        assert_eq!(thousands(1_234_567), "1,234,567");
        assert_eq!(thousands(12), "12");
    }
}
