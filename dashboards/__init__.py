"""The analysts' eyes: pages over the published snapshot."""
