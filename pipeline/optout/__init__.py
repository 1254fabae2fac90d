"""The opt-out register: its events, where it is kept, who watches it and how it is edited."""
