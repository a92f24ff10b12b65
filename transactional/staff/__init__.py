"""Staff roles and permissions."""
