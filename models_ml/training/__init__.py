"""Training functions, one a model family: frames in, a `TrainingResult` out."""
