"""Run rocrate-validator on a crate without a network: `python crate_check.py FOLDER`, in the environment of the validators.

The one document that it fetches, RO-Crate's context, is given by its rule: terms are schema.org's, but for those listed here.
"""

import io
import json
import sys
import urllib.error
import urllib.request
import urllib.response
from email.message import Message

from rocrate_validator import models, services

URL = "https://w3id.org/ro/crate/1.1/context"
TERMS = {
    "@vocab": "http://schema.org/",
    "File": "http://schema.org/MediaObject",
    "conformsTo": {"@id": "http://purl.org/dc/terms/conformsTo"},
}
#: Checks that fetch the same document by another client.
FETCHED = ["ro-crate-1.1_3.1", "ro-crate-1.1_3.2"]


class Closed(urllib.request.HTTPSHandler):
    """Answers for one URL, and for no other."""

    def https_open(self, request):
        if request.full_url.rstrip("/") != URL:
            raise urllib.error.URLError(f"nothing is fetched: {request.full_url}")
        headers = Message()
        headers["Content-Type"] = "application/ld+json"
        body = io.BytesIO(json.dumps({"@context": TERMS}).encode())
        answer = urllib.response.addinfourl(body, headers, request.full_url, 200)
        answer.msg = "OK"
        return answer


if __name__ == "__main__":
    urllib.request.install_opener(urllib.request.build_opener(Closed))
    settings = services.ValidationSettings(
        rocrate_uri=sys.argv[1], profile_identifier="ro-crate-1.1", requirement_severity=models.Severity.REQUIRED,
        skip_checks=FETCHED,
    )  # fmt: skip
    result = services.validate(settings)
    issues = [f"{issue.check.identifier}: {issue.message}" for issue in result.get_issues()]
    print(*issues, sep="\n")
    sys.exit(bool(issues))
