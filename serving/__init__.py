"""Answers: recommendations from the champion models and the published snapshot, over HTTP and from memory."""
