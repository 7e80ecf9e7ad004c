"""Methods about the bot itself: getMe, commands, close and logOut."""

import json
import re

from playground import Json
from playground.bot_api.call import ApiCall
from playground.errors import bad_request

_COMMAND = re.compile(r"[a-z0-9_]{1,32}")
_MAX_COMMANDS = 100
_MAX_DESCRIPTION = 256
_MAX_LONG, _MAX_SHORT = 512, 120
"""Characters of what an empty chat and the bot's profile show."""


def get_me(call: ApiCall) -> Json:
    """https://core.telegram.org/bots/api#getme"""
    return call.bot.me()


def _place(call: ApiCall) -> tuple[str, str]:
    scope = call.params.get("scope") or {"type": "default"}
    if not isinstance(scope, dict) or not isinstance(scope.get("type"), str):
        raise bad_request("can't parse BotCommandScope: Unsupported type specified")
    return json.dumps(scope, sort_keys=True), call.text("language_code")


def set_my_commands(call: ApiCall) -> bool:
    """https://core.telegram.org/bots/api#setmycommands"""
    place = _place(call)
    given = call.params.get("commands", [])
    if not isinstance(given, list):
        raise bad_request("expected an Array of BotCommand")
    if len(given) > _MAX_COMMANDS:
        raise bad_request("BOT_COMMANDS_TOO_MUCH")
    commands: list[Json] = []
    for raw in given:
        if not isinstance(raw, dict) or not isinstance(raw.get("command"), str):
            raise bad_request("can't parse BotCommand: expected an Object")
        name, description = raw["command"].removeprefix("/"), str(raw.get("description", ""))
        if not _COMMAND.fullmatch(name):
            raise bad_request("BOT_COMMAND_INVALID")
        if not 1 <= len(description) <= _MAX_DESCRIPTION:
            raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
        commands.append({"command": name, "description": description})
    call.bot.commands[place] = commands
    call.state.events.tell("commands")
    return True


def get_my_commands(call: ApiCall) -> list[Json]:
    """https://core.telegram.org/bots/api#getmycommands"""
    return call.bot.commands.get(_place(call), [])


def delete_my_commands(call: ApiCall) -> bool:
    """https://core.telegram.org/bots/api#deletemycommands"""
    call.bot.commands.pop(_place(call), None)
    call.state.events.tell("commands")
    return True


def set_my_description(call: ApiCall) -> bool:
    """https://core.telegram.org/bots/api#setmydescription"""
    return _describe(call, "description", _MAX_LONG)


def get_my_description(call: ApiCall) -> Json:
    """https://core.telegram.org/bots/api#getmydescription"""
    return {"description": call.bot.descriptions.get(("description", call.text("language_code")), "")}


def set_my_short_description(call: ApiCall) -> bool:
    """https://core.telegram.org/bots/api#setmyshortdescription"""
    return _describe(call, "short_description", _MAX_SHORT)


def get_my_short_description(call: ApiCall) -> Json:
    """https://core.telegram.org/bots/api#getmyshortdescription"""
    return {"short_description": call.bot.descriptions.get(("short_description", call.text("language_code")), "")}


def _describe(call: ApiCall, what: str, most: int) -> bool:
    said = call.text(what)
    if len(said) > most:
        raise bad_request("BOT_DESCRIPTION_TOO_LONG")
    call.bot.descriptions[what, call.text("language_code")] = said
    return True


def leave_server(_call: ApiCall) -> bool:
    """https://core.telegram.org/bots/api#close and #logout; the playground's bot can come back at once."""
    return True
