"""The in-memory picture of the ledger: its input rows, how it is built, indexed and swapped."""
