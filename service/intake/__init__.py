"""Published files (USGS, EU, World Bank, …) into ledger rows: one reader per source, each a pure generator."""
