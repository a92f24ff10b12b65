"""What every domain of the shop stands on: database, journal, outbox, money, clock, errors."""
