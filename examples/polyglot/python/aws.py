"""The three calls to AWS that a worker makes, with the standard library. On AWS, boto3 would sign them."""

import os
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

_endpoint = os.environ["AWS_ENDPOINT_URL"]


def _call(service, path, method, data=None, content_type="application/json"):
    credential = f"Credential=test/20260101/{os.environ['AWS_REGION']}/{service}/aws4_request"
    headers = {
        "Authorization": f"AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=0",
        "Content-Type": content_type,
    }
    with urlopen(Request(_endpoint + path, data, headers, method=method), timeout=10) as response:
        return response.read().decode()


def get_object(bucket, key):
    return _call("s3", f"/{bucket}/{quote(key)}", "GET")


def put_object(bucket, key, text):
    _call("s3", f"/{bucket}/{quote(key)}", "PUT", text.encode())


def publish(topic_arn, subject, message):
    fields = {"Action": "Publish", "Version": "2010-03-31", "TopicArn": topic_arn, "Subject": subject, "Message": message}
    _call("sns", "/", "POST", urlencode(fields).encode(), "application/x-www-form-urlencoded")
