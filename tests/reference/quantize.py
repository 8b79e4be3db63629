"""ONNX Runtime's own dynamic quantization. Usage: quantize.py MODEL.onnx OUT.onnx"""

import sys

from onnxruntime.quantization import QuantType, quantize_dynamic

quantize_dynamic(sys.argv[1], sys.argv[2], per_channel=True, reduce_range=True, weight_type=QuantType.QInt8)
