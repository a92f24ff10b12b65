"""A local Shiprocket: speaks the carrier's HTTP API and sends its tracking webhooks, for desks, demos and tests."""
