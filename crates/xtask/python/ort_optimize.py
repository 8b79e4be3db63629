"""ONNX Runtime's transformer optimizer, then its dynamic quantizer, per channel.

Usage: ort_optimize.py F32_MODEL OUT HEADS HIDDEN
"""

import sys

from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers import optimizer
from onnxruntime.transformers.fusion_options import FusionOptions

model, out, heads, hidden = sys.argv[1:]
optimized = optimizer.optimize_model(
    model, model_type="bert", num_heads=int(heads), hidden_size=int(hidden), optimization_options=FusionOptions("bert"), opt_level=0
)
optimized.save_model_to_file(out + ".f32")
print(optimized.get_fused_operator_statistics())
quantize_dynamic(out + ".f32", out, per_channel=True, reduce_range=False, weight_type=QuantType.QInt8)
