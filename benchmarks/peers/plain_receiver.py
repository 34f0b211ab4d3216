"""A simple webhook handler: checks the signature, appends the body to a file, flushes, answers.

    python benchmarks/peers/plain_receiver.py FILE PORT

It uses Starlette, on which FastAPI is built, so that it is not slowed down by FastAPI.
"""

import os
import sys

import uvicorn
from standardwebhooks.webhooks import Webhook
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

FILE, PORT = sys.argv[1:]
SECRET = Webhook(os.environ["STUDYFLOW_WEBHOOK_SECRETS"])


async def webhooks(request: Request) -> Response:
    """Append one delivery."""
    body = await request.body()
    names = ("id", "timestamp", "signature")
    SECRET.verify(body, {f"webhook-{name}": request.headers[f"svix-{name}"] for name in names})
    with open(FILE, "ab") as file:  # noqa: ASYNC230, PTH123 - simple on purpose
        file.write(body + b"\n")
        file.flush()
        os.fsync(file.fileno())
    return Response(status_code=204)


application = Starlette(routes=[Route("/webhooks", webhooks, methods=["POST"])])
uvicorn.run(application, host="127.0.0.1", port=int(PORT), http="httptools", loop="asyncio", log_level="error")
