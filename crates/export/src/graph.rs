//! Puts an ONNX graph together node by node.

use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension};
use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto,
    TensorShapeProto, TypeProto, ValueInfoProto, type_proto,
};

/// LayerNormalization is an operator from here on.
const OPSET: i64 = 17;
/// The file version that goes with that opset.
const IR_VERSION: i64 = 8;

/// The name of a value in the graph.
pub(crate) type Value = String;

#[derive(Default)]
pub(crate) struct Graph {
    nodes: Vec<NodeProto>,
    tensors: Vec<TensorProto>,
}

impl Graph {
    /// Adds a node with one output, which is called as the node.
    pub fn node(
        &mut self,
        name: &str,
        op: &str,
        inputs: &[&str],
        attributes: Vec<AttributeProto>,
    ) -> Value {
        self.nodes.push(NodeProto {
            name: name.to_owned(),
            op_type: op.to_owned(),
            input: inputs.iter().map(|&s| s.to_owned()).collect(),
            output: vec![name.to_owned()],
            attribute: attributes,
            ..Default::default()
        });
        name.to_owned()
    }

    pub fn f32(&mut self, name: &str, shape: &[usize], values: &[f32]) -> Value {
        let raw = values.iter().flat_map(|x| x.to_le_bytes()).collect();
        self.tensor(name, DataType::Float, shape, raw)
    }

    pub fn i8(&mut self, name: &str, shape: &[usize], values: &[i8]) -> Value {
        self.tensor(
            name,
            DataType::Int8,
            shape,
            values.iter().map(|&x| x as u8).collect(),
        )
    }

    pub fn u8(&mut self, name: &str, shape: &[usize], values: &[u8]) -> Value {
        self.tensor(name, DataType::Uint8, shape, values.to_vec())
    }

    pub fn i64(&mut self, name: &str, shape: &[usize], values: &[i64]) -> Value {
        let raw = values.iter().flat_map(|x| x.to_le_bytes()).collect();
        self.tensor(name, DataType::Int64, shape, raw)
    }

    fn tensor(&mut self, name: &str, kind: DataType, shape: &[usize], raw_data: Vec<u8>) -> Value {
        self.tensors.push(TensorProto {
            name: name.to_owned(),
            data_type: kind as i32,
            dims: shape.iter().map(|&d| d as i64).collect(),
            raw_data,
            ..Default::default()
        });
        name.to_owned()
    }

    /// The model with int64 inputs `[batch, sequence]` and one output `[batch, sequence, width]`.
    pub fn into_model(self, inputs: &[&str], output: &str, width: usize) -> ModelProto {
        let batch = || symbol("batch");
        let sequence = || symbol("sequence");
        let graph = GraphProto {
            name: "encoder".into(),
            node: self.nodes,
            initializer: self.tensors,
            input: inputs
                .iter()
                .map(|name| value_info(name, DataType::Int64, vec![batch(), sequence()]))
                .collect(),
            output: vec![value_info(
                output,
                DataType::Float,
                vec![
                    batch(),
                    sequence(),
                    dimension::Value::DimValue(width as i64),
                ],
            )],
            ..Default::default()
        };
        ModelProto {
            ir_version: IR_VERSION,
            producer_name: "nearshelf".into(),
            producer_version: env!("CARGO_PKG_VERSION").into(),
            opset_import: vec![OperatorSetIdProto {
                domain: String::new(),
                version: OPSET,
            }],
            graph: Some(graph),
            ..Default::default()
        }
    }
}

fn symbol(name: &str) -> dimension::Value {
    dimension::Value::DimParam(name.to_owned())
}

fn value_info(name: &str, kind: DataType, shape: Vec<dimension::Value>) -> ValueInfoProto {
    let dim = shape
        .into_iter()
        .map(|value| Dimension {
            value: Some(value),
            ..Default::default()
        })
        .collect();
    ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(TypeProto {
            value: Some(type_proto::Value::TensorType(type_proto::Tensor {
                elem_type: kind as i32,
                shape: Some(TensorShapeProto { dim }),
            })),
            ..Default::default()
        }),
        ..Default::default()
    }
}

pub(crate) fn int(name: &str, value: i64) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        r#type: AttributeType::Int as i32,
        i: value,
        ..Default::default()
    }
}

pub(crate) fn ints(name: &str, values: &[i64]) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        r#type: AttributeType::Ints as i32,
        ints: values.to_vec(),
        ..Default::default()
    }
}

pub(crate) fn float(name: &str, value: f32) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        r#type: AttributeType::Float as i32,
        f: value,
        ..Default::default()
    }
}

/// The `to` of a Cast to f32.
pub(crate) fn to_f32() -> AttributeProto {
    int("to", DataType::Float as i64)
}

/// The `to` of a Cast to u8.
pub(crate) fn to_u8() -> AttributeProto {
    int("to", DataType::Uint8 as i64)
}
