"""Pixels and samples; knows neither Django nor rows."""
