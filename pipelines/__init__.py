"""Movement: from the shop's tables to published, audited figures. The only writer of the warehouse."""

from pipelines.telemetry import silence

# First of all: the tools read these switches when they are imported.
silence()
