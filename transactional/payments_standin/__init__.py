"""A local Razorpay: speaks the gateway's HTTP API and sends its signed webhooks, for desks, demos and tests."""
