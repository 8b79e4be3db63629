//! Material of a recipe's stages, read.

use std::collections::BTreeMap;
use std::path::Path;

use crate::error::{Error, Result};
use crate::examples::{Examples, Summary, catalog_texts};
use crate::recipe::{Loss, Recipe, Stage};
use crate::tower::Tower;

/// Material of the stages.
pub(crate) struct Material {
    pub data: BTreeMap<String, Examples>,
}

impl Material {
    pub fn read(recipe: &Recipe, root: &Path, tower: &Tower) -> Result<Self> {
        let mut data = BTreeMap::new();
        for (name, source) in &recipe.data {
            data.insert(
                name.clone(),
                Examples::read(name, source, root, tower, recipe.max_tokens)?,
            );
        }
        for stage in &recipe.stages {
            let ordering = match stage.loss {
                Loss::Roar { .. } => true,
                Loss::Mmse { local, .. } => local > 0.0,
                _ => false,
            };
            for name in stage.data.iter().filter(|_| ordering) {
                let examples = data.get(name);
                if examples.is_some_and(|e| e.groups.iter().all(|g| g.levels() < 2)) {
                    return Err(Error::Data {
                        name: name.clone(),
                        expected: format!(
                            "queries with items of two grades, for stage {:?} to put in order",
                            stage.name
                        ),
                        found: "one grade a query".into(),
                    });
                }
            }
        }
        Ok(Material { data })
    }

    /// The data sets of a stage.
    pub fn of(&self, stage: &Stage) -> Vec<&Examples> {
        let names = stage.data.iter();
        names.filter_map(|name| self.data.get(name)).collect()
    }

    pub fn summaries(&self) -> BTreeMap<&str, &Summary> {
        let named = self.data.iter();
        named
            .map(|(name, examples)| (name.as_str(), &examples.summary))
            .collect()
    }
}

/// The items' texts of a stage's catalogs; none for a stage that learns from judgements.
pub(crate) fn catalogs(recipe: &Recipe, stage: &Stage, root: &Path) -> Result<Vec<Vec<String>>> {
    let Loss::Hybrid { .. } = stage.loss else {
        return Ok(vec![]);
    };
    let catalogs = stage
        .data
        .iter()
        .filter_map(|name| recipe.catalogs.get(name));
    catalogs
        .map(|catalog| catalog_texts(catalog, root))
        .collect()
}
