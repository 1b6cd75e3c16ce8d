"""python-socketio on uvicorn with uvloop, WebSocket only, no compression."""

import os

import jwt
import socketio
import uvicorn
from tickets import claims_of

sio = socketio.AsyncServer(
    async_mode="asgi", transports=["websocket"], http_compression=False, logger=False
)
app = socketio.ASGIApp(sio)


@sio.event
async def connect(sid: str, _environ: dict[str, object], auth: dict[str, str]) -> None:
    """Let in who has a good ticket."""
    try:
        user = claims_of(auth["ticket"])["sub"]
    except jwt.InvalidTokenError as error:
        raise socketio.exceptions.ConnectionRefusedError("unauthorized") from error
    await sio.save_session(sid, {"user": user})


@sio.on("join")
async def join(sid: str, rooms: list[str]) -> str:
    """Enter rooms."""
    for room in rooms:
        await sio.enter_room(sid, room)
    return "joined"


@sio.on("say")
async def say(_sid: str, message: dict[str, object]) -> str:
    """Tell a room."""
    await sio.emit("message", message, room=message["room"])
    return "said"


@sio.on("typing")
async def typing(sid: str, room: str) -> None:
    """Tell the others in a room that somebody is writing."""
    user = (await sio.get_session(sid))["user"]
    await sio.emit("typing", user, room=room, skip_sid=sid)


if __name__ == "__main__":
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(os.environ["BENCH_PORT"]),
        loop="uvloop",
        ws="websockets",
        ws_per_message_deflate=False,
        backlog=4096,
        log_level="warning",
        access_log=False,
    )
