"""`census`, and `python -m pipeline`. Every process of a worker imports this module again, so that it imports nothing itself."""


def main() -> None:
    """Run the command line."""
    from pipeline.commands import app

    app.main()


if __name__ == "__main__":
    main()
