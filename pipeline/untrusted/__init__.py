"""What comes from elsewhere: files read up to limits, and text made harmless."""
