//! `nearshelf train`.

use std::cell::RefCell;
use std::io::IsTerminal;

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use nearshelf_train::{Device, Estimate, Observer, Options, Recipe, Record, Trained};
use serde_json::json;

use crate::args::TrainArgs;
use crate::output::{bytes, print, print_json, table, thousands};

/// Lines that a stage writes where there is no terminal for a bar.
const LINES: usize = 20;

/// Trains as the arguments say.
pub fn run(args: &TrainArgs) -> Result<()> {
    let mut recipe = Recipe::read(&args.recipe)?;
    if let Some(tower) = &args.query_tower {
        recipe.query_tower = Some(tower.clone());
    }
    let options = Options {
        base: args.base.clone(),
        data: args.data.clone(),
        out: args.out.clone(),
        resume: args.resume,
        checkpoint_every: args.checkpoint_every,
        device: match args.cuda {
            true => Device::new_cuda(0).context("--cuda")?,
            false => Device::Cpu,
        },
    };
    // Matrix products run on rayon's global threads.
    rayon::ThreadPoolBuilder::new()
        .num_threads(args.threads)
        .build_global()
        .context("--threads")?;
    if args.dry_run {
        let estimates = nearshelf_train::estimate(&recipe, &options)?;
        return match args.json {
            true => print_json(&json!(estimates)),
            false => print(&estimate_table(&estimates)),
        };
    }
    let bar = Bar::default();
    let trained = nearshelf_train::run(&recipe, &options, &args.baseline, &bar);
    bar.finish();
    let trained = trained?;
    if args.json {
        return print_json(&json!(trained));
    }
    print(&format!(
        "{}{}: a model directory; {}: what was measured\n",
        results(&trained),
        args.out.display(),
        args.out.join("report.html").display()
    ))
}

fn estimate_table(estimates: &[Estimate]) -> String {
    let rows = estimates
        .iter()
        .map(|e| {
            vec![
                e.stage.clone(),
                thousands(e.steps as u64),
                thousands(e.tokens as u64),
                format!("{:.2} s", e.seconds_per_step),
                duration(e.seconds),
                e.memory.map_or_else(|| "?".into(), bytes),
            ]
        })
        .collect();
    let header = [
        "stage",
        "steps",
        "tokens a step",
        "a step",
        "in all",
        "memory",
    ];
    let total = estimates.iter().map(|e| e.seconds).sum();
    table(&header, rows, &[1, 2, 3, 4, 5])
        + &format!("\n{} in all, without measuring\n", duration(total))
}

fn duration(seconds: f64) -> String {
    let seconds = seconds.round() as u64;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds / 60 % 60),
    }
}

fn results(trained: &Trained) -> String {
    let mut rows = Vec::new();
    for eval in &trained.evals {
        for system in &eval.systems {
            let against = system.against.get("base");
            rows.push(vec![
                eval.name.clone(),
                system.name.clone(),
                eval.metric.to_owned(),
                format!("{:.4}", system.value),
                against.map_or_else(String::new, |c| format!("{:+.4}", c.difference)),
                against.map_or_else(String::new, |c| {
                    format!("{:.4}", c.p_permutation.max(c.p_bootstrap))
                }),
            ]);
        }
    }
    let header = ["eval", "system", "metric", "value", "against base", "p"];
    let mut text = table(&header, rows, &[3, 4, 5]) + "\n";
    for model in &trained.models {
        text += &format!(
            "{}: INT8 {}, {:.3} of f32\n",
            model.name,
            bytes(model.bytes.1),
            model.bytes.1 as f64 / model.bytes.0 as f64
        );
    }
    text
}

/// A bar for the stage that runs; lines where standard error is no terminal.
struct Bar {
    bar: RefCell<ProgressBar>,
    terminal: bool,
}

impl Default for Bar {
    fn default() -> Self {
        Bar {
            bar: RefCell::new(ProgressBar::hidden()),
            terminal: std::io::stderr().is_terminal(),
        }
    }
}

impl Bar {
    fn finish(&self) {
        self.bar.borrow().finish_and_clear();
    }
}

impl Observer for Bar {
    fn say(&self, line: &str) {
        self.bar.borrow().suspend(|| eprintln!("{line}"));
    }

    fn step(&self, record: &Record, steps: usize) {
        let loss = record.loss.unwrap_or_default();
        if !self.terminal {
            if record.step.is_multiple_of((steps / LINES).max(1)) {
                let left = record.seconds.unwrap_or_default() * (steps - record.step) as f64;
                eprintln!(
                    "{} {}/{steps}: loss {loss:.4}, {} left",
                    record.stage,
                    record.step,
                    duration(left)
                );
            }
            return;
        }
        let mut bar = self.bar.borrow_mut();
        if bar.length() != Some(steps as u64) || bar.is_finished() {
            let template = "{prefix} {bar:30} {pos}/{len}, {eta} left, {msg}";
            let style = ProgressStyle::with_template(template)
                .unwrap_or_else(|_| ProgressStyle::default_bar());
            let target = ProgressDrawTarget::stderr_with_hz(4);
            *bar = ProgressBar::with_draw_target(Some(steps as u64), target).with_style(style);
            bar.set_position(record.step as u64);
            bar.reset_eta();
        }
        bar.set_prefix(record.stage.clone());
        bar.set_message(format!("loss {loss:.4}"));
        bar.set_position(record.step as u64);
        if record.step == steps {
            bar.finish_and_clear();
        }
    }
}
