"""Copies ONNX Runtime's package to a folder and makes the copy pass over AVX-512.

Usage: ort_avx2.py FOLDER. The library has no switch for it. Where it looks whether the system saves the
registers of AVX-512 (not rax; test al, 0xe0; je), the copy finds that it does not (or al, 0xe0).
"""

import shutil
import sys
from pathlib import Path

import onnxruntime

ASKS = bytes.fromhex("48f7d0a8e00f84")
DENIES = bytes.fromhex("48f7d00ce00f84")

folder = Path(sys.argv[1]) / "onnxruntime"
shutil.rmtree(folder, ignore_errors=True)
shutil.copytree(Path(onnxruntime.__file__).parent, folder)
found = 0
for library in folder.glob("capi/*.so*"):
    code = library.read_bytes()
    found += code.count(ASKS)
    library.write_bytes(code.replace(ASKS, DENIES))
if not found:
    sys.exit(f"{folder}: expected the test for AVX-512, found none")
