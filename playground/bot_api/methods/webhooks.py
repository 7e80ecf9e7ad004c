"""setWebhook, deleteWebhook, getWebhookInfo; the courier does the delivering."""

import re

from playground import Json
from playground.bot_api.call import ApiCall
from playground.bot_api.methods.polling import allow
from playground.errors import bad_request
from playground.state.world import WebhookTarget

_MAX_CONNECTIONS = 100
_DEFAULT_CONNECTIONS = 40
_MAX_SECRET = 256
_SECRET = re.compile(r"[A-Za-z0-9_-]*")
# Telegram takes https only, and addresses that it can reach; the playground reaches this machine, where http will do.
_URL = re.compile(r"https?://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?(/\S*)?")


def _drop(call: ApiCall) -> None:
    if call.flag("drop_pending_updates"):
        call.bot.queue.clear()


def _change(call: ApiCall, webhook: WebhookTarget) -> None:
    call.bot.webhook = webhook
    call.bot.webhook_changed.wake_all()
    call.bot.queue.wakeup.wake_all()


def set_webhook(call: ApiCall) -> bool:
    """https://core.telegram.org/bots/api#setwebhook"""
    url = call.text("url")
    if not url:
        return delete_webhook(call)
    if not _URL.fullmatch(url):
        raise bad_request("invalid webhook URL specified")
    secret = call.text("secret_token")
    if len(secret) > _MAX_SECRET:
        raise bad_request("secret token is too long")
    if not _SECRET.fullmatch(secret):
        raise bad_request("secret token contains unallowed characters")
    allow(call)
    _drop(call)
    most = call.number("max_connections", _DEFAULT_CONNECTIONS, 1, _MAX_CONNECTIONS)
    call.description = "Webhook was set"
    _change(call, WebhookTarget(url, secret, most))
    return True


def delete_webhook(call: ApiCall) -> bool:
    """https://core.telegram.org/bots/api#deletewebhook"""
    _drop(call)
    call.description = "Webhook was deleted" if call.bot.webhook.url else "Webhook is already deleted"
    _change(call, WebhookTarget())
    return True


def get_webhook_info(call: ApiCall) -> Json:
    """https://core.telegram.org/bots/api#getwebhookinfo"""
    webhook, queue = call.bot.webhook, call.bot.queue
    info: Json = {"url": webhook.url, "has_custom_certificate": False, "pending_update_count": len(queue)}
    if webhook.url:
        info |= {"max_connections": webhook.max_connections, "ip_address": "127.0.0.1"}
    if webhook.last_error_at is not None:
        info |= {"last_error_date": webhook.last_error_at, "last_error_message": webhook.last_error}
    if queue.allowed is not None:
        info["allowed_updates"] = sorted(queue.allowed)
    return info
