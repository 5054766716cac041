"""Scratch databases and what is asked of them: making, cloning, dropping, ownership."""
