"""Fuzz targets for every decoder and for the whole conversation: any bytes give a documented value, never an exception."""
