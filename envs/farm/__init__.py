"""Farms: growth models of plants and greenhouses, and environments on them. Units are name suffixes."""
