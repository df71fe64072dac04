"""Chokepoint: supply-chain risk of critical minerals, buyer by buyer."""
