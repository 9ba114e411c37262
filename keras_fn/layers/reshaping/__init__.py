"""Reshaping layers: shapes, padding, cropping, upsampling."""
