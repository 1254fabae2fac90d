"""What a sweep records: a visit as a row, and a range as a receipt."""
