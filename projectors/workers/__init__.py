"""Projectors that act outside the read models: they ask services and give commands."""
