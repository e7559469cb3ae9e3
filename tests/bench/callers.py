"""A caller on a loop, as the service is one: it hands an order over and awaits the answer."""

import asyncio
from functools import partial

from infrastructure.orders import Order, Outcome
from infrastructure.writer import Writer


async def told(writer: Writer, order: Order) -> Outcome:
    """What became of this order, once it is on disk. The same hand-over as in api/writes, with no deadline."""
    loop = asyncio.get_running_loop()
    answered: asyncio.Future[None] = loop.create_future()
    together = writer.hand_over([order], partial(loop.call_soon_threadsafe, answered.set_result, None))
    await answered
    [answer] = together.answers()
    if not isinstance(answer, Outcome):
        raise answer
    return answer
