"""Fuzz targets for every decoder and for whole conversations: any bytes give a documented value, never an exception."""
