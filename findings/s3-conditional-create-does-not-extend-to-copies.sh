#!/bin/bash
# obstore 0.12.1, moto 5.2.5, boto3 1.43.117 (PyPI), Python 3.11 or later.
# "Only if it is absent" holds for some ways to write an object and not for others, in one and the same pair of programs:
# - moto refuses If-None-Match: * on PutObject and on CompleteMultipartUpload where the key exists (412), but CopyObject with the
#   same condition answers 200 and replaces the object, so a test of "rename if absent" against it proves nothing;
# - obstore creates conditionally (put, mode="create") without any setting, but copy and rename with overwrite=False are refused
#   by the client itself as not supported by S3, before any request, although the server took the conditional write a line before.
# Seen: put PreconditionFailed; multipart PreconditionFailed; copy replaced the object; obstore put AlreadyExistsError;
#       obstore copy NotSupportedError after 0 requests; obstore rename NotSupportedError after 0 requests
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check obstore==0.12.1 'moto[server]==5.2.5' boto3==1.43.117
cat >"$work/try.py" <<'PY'
import logging
import boto3, obstore
from moto.server import ThreadedMotoServer
from obstore.store import S3Store

requests = []
log = logging.getLogger("werkzeug")
log.setLevel(logging.INFO)
log.addHandler(logging.Handler())
log.handlers[0].emit = lambda record: requests.append(record)
log.propagate = False
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x", "region_name": "us-east-1"}
url = "http://127.0.0.1:%d" % server.get_host_and_port()[1]
s3 = boto3.client("s3", endpoint_url=url, **keys)
s3.create_bucket(Bucket="bucket")
for key, body in (("here", b"old"), ("other", b"new")):
    s3.put_object(Bucket="bucket", Key=key, Body=body)
target = {"Bucket": "bucket", "Key": "here", "IfNoneMatch": "*"}


def error(call):
    try:
        call()
    except Exception as problem:
        return getattr(problem, "response", {"Error": {"Code": type(problem).__name__}})["Error"]["Code"]
    return "done"


upload = s3.create_multipart_upload(Bucket="bucket", Key="here")["UploadId"]
part = s3.upload_part(Bucket="bucket", Key="here", UploadId=upload, PartNumber=1, Body=b"new")["ETag"]
parts = {"Parts": [{"ETag": part, "PartNumber": 1}]}
print("put", error(lambda: s3.put_object(Body=b"new", **target)))
print("multipart", error(lambda: s3.complete_multipart_upload(UploadId=upload, MultipartUpload=parts, **target)))
print("copy", error(lambda: s3.copy_object(CopySource="bucket/other", **target)), s3.get_object(Bucket="bucket", Key="here")["Body"].read())
store = S3Store("bucket", endpoint=url, region="us-east-1", access_key_id="x", secret_access_key="x", client_options={"allow_http": True})
print("obstore put", error(lambda: obstore.put(store, "here", b"mine", mode="create")))
for name in ("copy", "rename"):
    before = len(requests)
    result = error(lambda: getattr(obstore, name)(store, "other", "absent", overwrite=False))
    print(f"obstore {name}", result, "after", len(requests) - before, "requests")
print("requests seen", len(requests) > 0)
server.stop()
PY
cat >"$work/inside" <<'SH'
ip link set lo up
"$1/venv/bin/python" "$1/try.py" 2>/dev/null
SH
seen=$(unshare --net bash "$work/inside" "$work" | grep -v '^Starting')
echo "$seen"
[ "$seen" = "put PreconditionFailed
multipart PreconditionFailed
copy done b'new'
obstore put AlreadyExistsError
obstore copy NotSupportedError after 0 requests
obstore rename NotSupportedError after 0 requests
requests seen True" ]
