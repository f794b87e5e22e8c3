"""What computes vectors: ONNX Runtime, OpenVINO or torch, each behind the same small interface."""
