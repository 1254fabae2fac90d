"""A real DICOM server made with pynetdicom: `python -m pipeline.testbed.scp PORT AE_TITLE [--called] [--caller TITLE]…`."""

from argparse import ArgumentParser

from pynetdicom import AE
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]

#: Each connection takes a slot until it ends; the default of 10 would reject a fast visitor by 2/3/2.
ASSOCIATIONS = 200


def main() -> None:
    """Serve Verification until killed."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("ae_title")
    parser.add_argument("--called", action="store_true", help="reject called AE titles other than AE_TITLE")
    parser.add_argument("--caller", action="append", default=[], help="accept only these calling AE titles")
    arguments = parser.parse_args()
    entity = AE(ae_title=arguments.ae_title)
    entity.maximum_associations = ASSOCIATIONS
    entity.require_called_aet = arguments.called
    entity.require_calling_aet = arguments.caller
    entity.add_supported_context(Verification)
    entity.start_server(("0.0.0.0", arguments.port), block=True)


if __name__ == "__main__":
    main()
