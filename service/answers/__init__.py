"""Answers: what the World says, put into the wire contract's Structs and rounded, once."""
