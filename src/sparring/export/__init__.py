"""A trained run in other forms: ONNX, Hugging Face layout, torch.export, a page for the browser."""
