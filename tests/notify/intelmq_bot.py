"""Run a parser bot of IntelMQ on one report of standard input, as a library; events are the lines of standard output.

It runs in the environment of `receivers`, which has none of our packages.
"""

import contextlib
import json
import sys
import tempfile
import types

#: Colours of a terminal; the package has no wheel, and no parser uses it.
sys.modules["termstyle"] = types.ModuleType("termstyle")
sys.modules["termstyle"].green = sys.modules["termstyle"].red = sys.modules["termstyle"].yellow = str

from intelmq.bots.parsers.json.parser import JSONParserBot  # noqa: E402
from intelmq.bots.parsers.shadowserver import _config  # noqa: E402
from intelmq.bots.parsers.shadowserver.parser import ShadowserverParserBot  # noqa: E402
from intelmq.lib.bot import BotLibSettings  # noqa: E402

#: What a receiver adds to the schema of Shadowserver's reports for a report on DICOM; the columns are those of its ICS report.
SCHEMA = {
    "scan_dicom": {
        "feed_name": "Accessible-DICOM",
        "file_name": "scan_dicom",
        "url": "",
        "constant_fields": {
            "classification.type": "potentially-unwanted-accessible",
            "classification.identifier": "open-dicom",
        },
        "required_fields": [
            ["time.source", "timestamp", "add_UTC_to_timestamp"],
            ["source.ip", "ip", "validate_ip"],
            ["source.port", "port", "convert_int"],
        ],
        "optional_fields": [
            ["severity", "severity", "validate_to_none"],
            ["protocol.transport", "protocol"],
            ["source.reverse_dns", "hostname"],
            ["source.asn", "asn", "invalidate_zero"],
            ["source.geolocation.cc", "geo"],
            ["extra.", "tag"],
            ["product.vendor", "device_vendor", "validate_to_none"],
            ["product.name", "device_model", "validate_to_none"],
            ["product.version", "device_version", "validate_to_none"],
            ["extra.", "response_size", "convert_int"],
        ],
    }
}
BOTS = {"json": (JSONParserBot, {"splitlines": True}), "shadowserver": (ShadowserverParserBot, {"test_mode": True})}


def main(parser: str) -> None:
    """Parse the report."""
    with contextlib.redirect_stdout(sys.stderr), tempfile.NamedTemporaryFile("w", suffix=".json") as schema:
        json.dump(SCHEMA, schema)
        schema.flush()
        vars(_config)["__config"].schema_base = schema.name
        bot, settings = BOTS[parser]
        made = bot("bot", settings=BotLibSettings | settings).process_message(json.load(sys.stdin))
    for event in made["output"]:
        sys.stdout.write(json.dumps(dict(event), default=str) + "\n")
    if made["error"]:
        sys.exit("lines that cannot be read: " + str(len(made["error"])))


if __name__ == "__main__":
    main(sys.argv[1])
