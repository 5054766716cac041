"""How much memory will a Django migration take at production's row count, and does it fit?"""

__version__ = "0.1.0"
