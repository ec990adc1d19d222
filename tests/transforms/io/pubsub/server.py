"""Pub/Sub in this process: google.pubsub.v1 over gRPC, with one topic whose subscriptions share."""

import itertools
import math
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor

import grpc
from google.pubsub_v1 import types

TOPIC, SUBSCRIPTION = "projects/local/topics/topic", "projects/local/subscriptions/sub"
EMPTY = types.AcknowledgeRequest  # On the wire, google.protobuf.Empty is a message without fields.
METHODS = {
    "Subscriber/Pull": (types.PullRequest, types.PullResponse),
    "Subscriber/Acknowledge": (types.AcknowledgeRequest, EMPTY),
    "Subscriber/ModifyAckDeadline": (types.ModifyAckDeadlineRequest, EMPTY),
    "Subscriber/GetSubscription": (types.GetSubscriptionRequest, types.Subscription),
    "Subscriber/CreateSubscription": (types.Subscription, types.Subscription),
    "Subscriber/DeleteSubscription": (types.DeleteSubscriptionRequest, EMPTY),
    "Publisher/Publish": (types.PublishRequest, types.PublishResponse),
    "Publisher/GetTopic": (types.GetTopicRequest, types.Topic),
}


class Server:
    """Delivers what it is given, again where a lease ends, and records what it is told.

    Its subscriptions are by their names, with the topic of each; all deliver the same messages.
    Calls of Pull wait for messages for `patience` seconds. Calls of Publish take as many seconds
    as `delays` says by their number of messages.

    Args:
      lease: Seconds that a delivery is leased for at first.
      max_bytes: Most bytes of a message's payload.
    """

    def __init__(self, lease=10.0, max_bytes=10**7):
        self.lease, self.max_bytes, self.patience = lease, max_bytes, 0.5
        self.calls, self.acked, self.leases, self.published = [], [], [], []
        self.waiting, self.leased, self.delays = deque(), {}, {}
        self.subscriptions = {SUBSCRIPTION: types.Subscription(name=SUBSCRIPTION, topic=TOPIC)}
        self._ids, self._failing = itertools.count(1), {}
        self._change = threading.Condition()
        self._server = grpc.server(
            ThreadPoolExecutor(16), options=[("grpc.max_receive_message_length", -1)]
        )
        for path, kinds in METHODS.items():
            service, _, name = path.partition("/")
            handlers = {name: self._handler(name, *kinds)}
            handler = grpc.method_handlers_generic_handler(f"google.pubsub.v1.{service}", handlers)
            self._server.add_generic_rpc_handlers((handler,))
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()

    def close(self):
        self._server.stop(0).wait()

    def put(self, *payloads, ids=None, **settings):
        """Messages to be pulled; all of them are there at once."""
        with self._change:
            for payload, name in zip(payloads, ids or itertools.repeat(None), strict=False):
                name = name or f"m{next(self._ids)}"
                self.waiting.append(types.PubsubMessage(data=payload, message_id=name, **settings))
            self._change.notify_all()

    def fail(self, code, *methods, seconds=math.inf):
        """Answers calls so, for a while; those in work too."""
        with self._change:
            self._failing |= dict.fromkeys(methods, (code, time.monotonic() + seconds))
            self._change.notify_all()

    def _handler(self, name, request, response):
        def call(request, context):
            if name == "Publish":
                time.sleep(self.delays.get(len(request.messages), 0))
            with self._change:
                self.calls.append(name)
                self._refuse(name, context)
                if self._place(request) not in (TOPIC, *self.subscriptions):
                    context.abort(grpc.StatusCode.NOT_FOUND, "no such thing")
                return getattr(self, name)(request, context)

        return grpc.unary_unary_rpc_method_handler(call, request.deserialize, response.serialize)

    def _place(self, request):
        return getattr(request, "subscription", None) or getattr(request, "topic", None)

    def _refuse(self, name, context):
        code, until = self._failing.get(name, (None, 0))
        if time.monotonic() < until:
            context.abort(code, "told to")

    def Pull(self, request, context):
        until = time.monotonic() + self.patience
        while not self._due() and time.monotonic() < until and context.is_active():
            self._change.wait(0.05)
            self._refuse("Pull", context)
        found = [self.waiting.popleft() for _ in self._due()[: request.max_messages]]
        leased = {f"{message.message_id}/{next(self._ids)}": message for message in found}
        self.leased |= {name: (time.monotonic() + self.lease, m) for name, m in leased.items()}
        pairs = [{"ack_id": name, "message": message} for name, message in leased.items()]
        return types.PullResponse(received_messages=pairs)

    def _due(self):
        for name in [i for i, (until, _) in self.leased.items() if until < time.monotonic()]:
            self.waiting.append(self.leased.pop(name)[1])
        return list(self.waiting)

    def Acknowledge(self, request, context):
        for name in request.ack_ids:
            self.leased.pop(name, None)
            self.acked.append(name.partition("/")[0])
        return EMPTY()

    def ModifyAckDeadline(self, request, context):
        seconds = request.ack_deadline_seconds
        for name in set(request.ack_ids) & set(self.leased):
            self.leased[name] = (time.monotonic() + seconds, self.leased[name][1])
        self.leases += [(name.partition("/")[0], seconds) for name in request.ack_ids]
        return EMPTY()

    def Publish(self, request, context):
        sizes = [len(message.data) for message in request.messages]
        size, largest = sum(sizes), max(sizes)
        keys = {message.ordering_key for message in request.messages}
        if (
            len(request.messages) > 1000
            or size > 10**7
            or largest > self.max_bytes
            or len(keys) > 1
        ):
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "too much, or of several keys")
        self.published.append(list(request.messages))
        return types.PublishResponse(message_ids=[str(next(self._ids)) for _ in request.messages])

    def GetSubscription(self, request, context):
        return self.subscriptions[request.subscription]

    def CreateSubscription(self, request, context):
        if request.name in self.subscriptions:
            context.abort(grpc.StatusCode.ALREADY_EXISTS, "it is there")
        self.subscriptions[request.name] = request
        return request

    def DeleteSubscription(self, request, context):
        del self.subscriptions[request.subscription]
        return EMPTY()

    def GetTopic(self, request, context):
        return types.Topic(name=TOPIC)
