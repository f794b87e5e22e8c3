"""The public benchmarks: what their folders and lists look like, and what goes wrong with them."""
