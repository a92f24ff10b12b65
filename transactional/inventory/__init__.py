"""Stock levels, holds and the ledger of movements."""
