"""The process that applies the migration and is measured, and what measures it."""
