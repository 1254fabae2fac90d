"""dicom-census: counts the DICOM services that answer on the public Internet."""

__version__ = "0.1.0"
