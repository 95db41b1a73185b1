"""What a function written with Spin's SDK for Python does most: answers, reads a setting, keeps a value, calls a server."""

from spin_sdk import http, key_value, variables
from spin_sdk.http import Request, Response, send


class HttpHandler(http.Handler):
    async def handle_request(self, request: Request) -> Response:
        path, _, query = request.uri.partition("?")
        if path == "/python/hello":
            return text(200, "hello from Python\n")
        if path == "/python/echo":
            return Response(200, {"content-type": "application/octet-stream"}, request.body)
        if path == "/python/variable":
            return text(200, await variables.get(query))
        if path == "/python/visits":
            with await key_value.open_default() as store:
                visits = int(await store.get("visits") or b"0") + 1
                await store.set("visits", str(visits).encode())
            return text(200, str(visits))
        if path == "/python/fetch":
            answer = await send(Request("GET", query, {}, None))
            return Response(answer.status, {"content-type": "text/plain"}, answer.body)
        raise LookupError(path)


def text(status: int, body: str) -> Response:
    return Response(status, {"content-type": "text/plain"}, body.encode())
