"""A worker in Python: the task `total`, in a chain whose other tasks are in TypeScript."""

import json
import os
import sys
import time
import uuid

import ajson
import aws


def total(sales):
    return {
        "total": sum(sale["price"] for sale in sales),
        "cities": {sale["city"] for sale in sales},
        "latest": max(sale["at"] for sale in sales),
    }


tasks = {"total": total}


def handler(event, context):
    """The Lambda function. It names the messages that failed, so that only these come back."""
    failures = []
    for record in event["Records"]:
        try:
            run(json.loads(record["body"]))
        except Exception as error:
            print(f"{record['messageId']} failed: {error!r}", file=sys.stderr)
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}


def run(envelope):
    task = ajson.loads(envelope["Message"])
    name = task["task_name"]
    result = tasks[name](**hydrate(task.get("task_kwargs") or {}))
    callback = task.get("callback") or ""
    following = next_task(callback, name)
    if following:
        message = {"task_name": following, "task_kwargs": {} if result is None else store(result)}
        if "#" in callback:
            message["callback"] = callback
        topic_arn = envelope["TopicArn"].rsplit(":", 1)[0] + ":" + following
        aws.publish(topic_arn, "callback", ajson.dumps(message))


def next_task(callback, current):
    """The task that gets the result. A callback is a name, or a chain: a#b#c."""
    links = callback.split("#")
    if len(links) == 1:
        return callback
    at = links.index(current) + 1 if current in links else 0
    return links[at] if at < len(links) else None


def hydrate(value):
    """Replaces each pointer by the value in S3."""
    if isinstance(value, list):
        return [hydrate(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get("_alg_class") != "StoredData":
        return {key: hydrate(item) for key, item in value.items()}
    bucket, key = value["value"]["pointer"].split("#", 1)
    return hydrate(ajson.loads(aws.get_object(bucket, key))["data_string"])


def store(value):
    """Puts a value into S3, and returns its pointer."""
    bucket = os.environ["ALGERNON_BUCKET_NAME"]
    key = f"cache/{uuid.uuid4()}!{time.time()}.json"
    aws.put_object(bucket, key, ajson.dumps({"data_string": value, "full_unpack": True, "safe_mode": False}))
    return {
        "_alg_class": "StoredData",
        "_alg_module": "algernon.aws.snakes",
        "value": {"pointer": f"{bucket}#{key}"},
    }


if __name__ == "__main__":
    # Without Lambda: an event on each line of the input, an answer on each line of the output.
    for line in sys.stdin:
        print(json.dumps(handler(json.loads(line), None)), flush=True)
