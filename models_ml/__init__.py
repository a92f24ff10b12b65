"""The shop's models: frames and arrays in, models, predictions and figures out.

Nothing here opens a database, serves HTTP or talks to MLflow. `pipelines/` calls `models_ml.training` and
stores what comes back; `serving/` loads saved models with `models_ml.artifacts` and asks them.
"""
