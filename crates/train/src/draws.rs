//! The batches of a stage by their numbers: a run that goes on draws what it would have drawn.

use crate::batch::{Batch, Plan, draw};
use crate::error::Result;
use crate::examples::Examples;
use crate::hybrid::Teacher;
use crate::material::Material;
use crate::options::Options;
use crate::recipe::{Loss, Recipe, Stage};
use crate::seed::mix;
use crate::tower::Tower;

/// A stage's batches.
pub(crate) enum Draws<'a> {
    Judged {
        examples: Vec<&'a Examples>,
        negatives: Vec<Option<Vec<Vec<usize>>>>,
        plan: Plan,
    },
    Hybrid(Vec<Teacher<'a>>),
}

impl Draws<'_> {
    /// The batch `number` of a stage.
    pub fn batch(&self, stage: &Stage, number: usize, seed: u64) -> Result<Batch> {
        let seed = mix(seed, number as u64);
        match self {
            Draws::Judged {
                examples,
                negatives,
                plan,
            } => {
                let (set, drawn) = &plan.batches[number];
                let (examples, negatives) =
                    (examples[*set], negatives.get(*set).and_then(Option::as_ref));
                Ok(draw(stage, examples, negatives, drawn, seed))
            }
            Draws::Hybrid(teachers) => {
                let sizes: Vec<u64> = teachers.iter().map(|t| t.len() as u64).collect();
                let mut draw = mix(seed, 1) % sizes.iter().sum::<u64>().max(1);
                let mut set = 0;
                while draw >= sizes[set] {
                    draw -= sizes[set];
                    set += 1;
                }
                teachers[set].draw(stage, seed)
            }
        }
    }
}

/// The batches of a stage, which began with the model `before`. `negatives` has the hard negatives of its data
/// sets, or is empty.
pub(crate) fn draws<'m>(
    stage: &Stage,
    recipe: &Recipe,
    material: &'m Material,
    catalogs: &[Vec<String>],
    before: &'m Tower,
    negatives: Vec<Option<Vec<Vec<usize>>>>,
) -> Result<Draws<'m>> {
    if let Loss::Hybrid { .. } = stage.loss {
        let teachers = catalogs
            .iter()
            .map(|texts| Teacher::new(texts, before, recipe.max_tokens))
            .collect::<Result<_>>()?;
        return Ok(Draws::Hybrid(teachers));
    }
    let number = recipe.stages.iter().position(|s| s.name == stage.name);
    let examples = material.of(stage);
    let plan = Plan::new(
        stage,
        &examples,
        mix(recipe.seed, number.unwrap_or_default() as u64),
    );
    Ok(Draws::Judged {
        examples,
        negatives,
        plan,
    })
}

/// The pairs of every batch of a recipe's first stage, as texts: for comparisons with other trainers.
///
/// # Errors
/// Those of reading the data.
pub fn contrastive_batches(
    recipe: &Recipe,
    options: &Options,
) -> Result<Vec<Vec<(String, String)>>> {
    let tower = Tower::open(&options.base, &recipe.heads, &options.device)?;
    let material = Material::read(recipe, &options.data, &tower)?;
    let Some(stage) = recipe.stages.first() else {
        return Ok(vec![]);
    };
    let examples = material.of(stage);
    let plan = Plan::new(stage, &examples, mix(recipe.seed, 0));
    let texts = |(set, drawn): &(usize, Vec<usize>)| -> Vec<(String, String)> {
        let examples = examples[*set];
        let pair = |&index: &usize| {
            let (group, item) = *examples.pairs.get(index)?;
            let query = examples.queries.texts[examples.groups[group].query].clone();
            Some((query, examples.items.texts[item].clone()))
        };
        drawn.iter().filter_map(pair).collect()
    };
    Ok(plan.batches.iter().map(texts).collect())
}
