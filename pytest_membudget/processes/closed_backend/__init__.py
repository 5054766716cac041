"""A database backend that refuses each connection, for every alias but the scratch database.

A migration that is measured can't reach a real database through the settings.
"""
