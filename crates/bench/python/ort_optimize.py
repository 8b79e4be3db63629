"""ONNX Runtime's transformer optimizer, then its dynamic quantizer, per channel.

Usage: ort_optimize.py F32_MODEL OUT HEADS HIDDEN
"""

import sys

import onnx
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers import optimizer
from onnxruntime.transformers.fusion_options import FusionOptions

model, out, heads, hidden = sys.argv[1:]
optimized = optimizer.optimize_model(
    model,
    model_type="bert",
    num_heads=int(heads),
    hidden_size=int(hidden),
    optimization_options=FusionOptions("bert"),
    # The library's own passes run when the model is loaded; here they would want PyTorch.
    opt_level=0,
)
optimized.save_model_to_file(out + ".f32")
print(optimized.get_fused_operator_statistics())
quantize_dynamic(
    out + ".f32",
    out,
    per_channel=True,
    reduce_range=False,
    weight_type=QuantType.QInt8,
    # Its quantizer does not know the type of what its own operators give.
    extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
)
