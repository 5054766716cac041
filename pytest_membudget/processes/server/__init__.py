"""The process that makes and seeds scratch databases, and its client."""
