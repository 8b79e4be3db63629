//! Losses against values that PyTorch worked out (`tests/golden/losses.json`, written by
//! `tests/reference/losses.py`), and gradients against slopes.

use candle_core::{Device, Tensor, Var};
use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
struct Golden {
    queries: Vec<Vec<f32>>,
    items: Vec<Vec<f32>>,
    positives: Vec<usize>,
    groups: Vec<Vec<Vec<usize>>>,
    teacher: Vec<Vec<f32>>,
    students: Vec<Vec<f32>>,
    left_out: Vec<Vec<bool>>,
    losses: std::collections::BTreeMap<String, Expected>,
}

#[derive(Deserialize)]
struct Expected {
    value: f32,
    /// For the similarities, or the students' vectors.
    gradient: Vec<Vec<f32>>,
}

const GOLDEN: &str = include_str!("../../../../tests/golden/losses.json");

fn matrix(rows: &[Vec<f32>]) -> Tensor {
    Tensor::new(rows.to_vec(), &Device::Cpu).unwrap()
}

fn golden() -> (Golden, Vec<Vec<f32>>) {
    let golden: Golden = serde_json::from_str(GOLDEN).unwrap();
    let similarities = matrix(&golden.queries)
        .matmul(&matrix(&golden.items).t().unwrap())
        .unwrap();
    let similarities = similarities.to_vec2().unwrap();
    (golden, similarities)
}

/// Every loss by its name in the golden file, as a function of what it is differentiated for.
fn loss(name: &str, golden: &Golden, x: &Tensor) -> Tensor {
    let all = Mask::all(golden.queries.len(), golden.items.len());
    let masked = Mask::new(golden.queries.len(), golden.items.len(), |r, c| {
        !golden.left_out[r][c]
    });
    match name {
        "mnrl" => mnrl(x, &golden.positives, &all, 20.0),
        "mnrl_masked" => mnrl(x, &golden.positives, &masked, 20.0),
        "roar" => roar(x, &golden.groups, &all, 10.0, 0.5),
        "roar_masked" => roar(x, &golden.groups, &masked, 20.0, 0.0),
        "mmse_global" => mmse_global(x, &golden.groups, 2, &all, 20.0),
        "mmse_local" => mmse_local(x, &golden.groups, 10.0),
        "cosine_distance" => cosine_distance(x, &matrix(&golden.queries)),
        "listwise_distillation" => listwise_distillation(x, &matrix(&golden.teacher), 20.0),
        other => panic!("no loss {other}"),
    }
    .unwrap()
}

fn argument(name: &str, golden: &Golden, similarities: &[Vec<f32>]) -> Vec<Vec<f32>> {
    match name {
        "cosine_distance" => golden.students.clone(),
        _ => similarities.to_vec(),
    }
}

#[test]
fn values_and_gradients_are_those_of_pytorch() {
    let (golden, similarities) = golden();
    assert_eq!(golden.losses.len(), 8);
    for (name, expected) in &golden.losses {
        let x = Var::from_tensor(&matrix(&argument(name, &golden, &similarities))).unwrap();
        let found = loss(name, &golden, &x);
        let value: f32 = found.to_scalar().unwrap();
        assert!(
            (value - expected.value).abs() < 1e-5 * expected.value.abs().max(1.0),
            "{name}: {value} {}",
            expected.value
        );
        let gradients = found.backward().unwrap();
        let gradient: Vec<Vec<f32>> = gradients.get(&x).unwrap().to_vec2().unwrap();
        for (found, expected) in gradient
            .iter()
            .flatten()
            .zip(expected.gradient.iter().flatten())
        {
            assert!(
                (found - expected).abs() < 1e-5 * expected.abs().max(1.0),
                "{name}: {found} {expected}"
            );
        }
    }
}

#[test]
fn gradients_are_slopes() {
    let (golden, similarities) = golden();
    for name in golden.losses.keys() {
        let start = argument(name, &golden, &similarities);
        let x = Var::from_tensor(&matrix(&start)).unwrap();
        let gradients = loss(name, &golden, &x).backward().unwrap();
        let gradient: Vec<Vec<f32>> = gradients.get(&x).unwrap().to_vec2().unwrap();
        for row in 0..start.len() {
            for column in 0..start[0].len() {
                let at = |shift: f32| {
                    let mut x = start.clone();
                    x[row][column] += shift;
                    loss(name, &golden, &matrix(&x)).to_scalar::<f32>().unwrap()
                };
                let slope = (at(2e-3) - at(-2e-3)) / 4e-3;
                let found = gradient[row][column];
                assert!(
                    (slope - found).abs() < 1e-2 * found.abs().max(1.0),
                    "{name} {row} {column}: {slope} {found}"
                );
            }
        }
    }
}

#[test]
fn the_margin_mask_is_that_of_its_definition() {
    let (golden, similarities) = golden();
    let items = matrix(&golden.items);
    let among: Vec<Vec<f32>> = items
        .matmul(&items.t().unwrap())
        .unwrap()
        .to_vec2()
        .unwrap();
    let mut mask = Mask::all(similarities.len(), among.len());
    let rule = FalseNegatives {
        margin: 0.1,
        duplicate: 0.9,
    };
    rule.leave_out(&similarities, &among, &golden.positives, &mut mask);
    for (row, left_out) in golden.left_out.iter().enumerate() {
        for (column, &left_out) in left_out.iter().enumerate() {
            assert_eq!(mask.keeps(row, column), !left_out, "{row} {column}");
        }
    }
    assert!(mask.count() < similarities.len() * among.len());
}

#[test]
fn odds_stay_finite_where_a_probability_is_nearly_one() {
    let x = matrix(&[vec![1.0, -1.0, -1.0]]);
    let x = Var::from_tensor(&x).unwrap();
    let found = roar(
        &x,
        &[vec![vec![0], vec![1, 2]]],
        &Mask::all(1, 3),
        100.0,
        0.0,
    )
    .unwrap();
    let gradient: Vec<Vec<f32>> = found
        .backward()
        .unwrap()
        .get(&x)
        .unwrap()
        .to_vec2()
        .unwrap();
    assert!(found.to_scalar::<f32>().unwrap() < 1e-6);
    assert!(gradient.iter().flatten().all(|g| g.is_finite()));
}

#[test]
fn a_query_with_one_grade_orders_nothing() {
    let x = Var::from_tensor(&matrix(&[vec![0.3, 0.1]])).unwrap();
    let found = roar(&x, &[vec![vec![0, 1]]], &Mask::all(1, 2), 20.0, 0.0).unwrap();
    assert_eq!(found.to_scalar::<f32>().unwrap(), 0.0);
}
