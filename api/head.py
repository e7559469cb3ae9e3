"""HEAD: answered wherever GET is, with the same headers and no body."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Head:
    """Lets the routes take a HEAD for the GET it stands for; the server itself leaves the body out."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def answer(message: Message) -> None:
            # Said again before the first byte leaves: by this the server knows that no body may follow.
            scope["method"] = "HEAD"
            await send(message)

        scope["method"] = "GET"
        try:
            await self._app(scope, receive, answer)
        finally:
            scope["method"] = "HEAD"
