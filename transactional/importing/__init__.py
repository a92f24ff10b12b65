"""Real shops' histories, brought in."""
