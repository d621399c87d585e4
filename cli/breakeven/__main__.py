"""`python -m breakeven` is the command `deploy`."""

from breakeven.main import main

main()
