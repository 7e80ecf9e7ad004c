"""What owners of business accounts do: connect the bot, change its rights, end the connection; their customers."""

from playground import Json
from playground.state.business import GIVEN, RIGHTS, AccountConnection, checked_rights
from playground.state.chats import Chat
from playground.state.world import State


def connect(state: State, owner: Json, rights: object = None) -> tuple[AccountConnection, int | None]:
    """A person connects the bot to their account; the connection, and the id of the update.

    Raises:
        ControlError: the rights are none.
    """
    given = checked_rights(rights, {right: right in GIVEN for right in RIGHTS})
    number = f"bc{state.random.randrange(10**17, 10**18)}_x-"
    connection = AccountConnection(number, owner, state.now(), given)
    # Telegram opens the owner's own chat with the bot with it (user_chat_id).
    state.events.tell("chat", chat=state.book.add_chat("private", user=owner).id)
    state.business.all[number] = connection
    return connection, _tell(state, connection)


def change(
    state: State, connection: AccountConnection, *, enabled: bool | None = None, rights: object = None
) -> int | None:
    """The owner ends the connection or takes it up again, or changes its rights; the id of the update.

    Raises:
        ControlError: the rights are none.
    """
    connection.rights = checked_rights(rights, connection.rights)
    connection.enabled = connection.enabled if enabled is None else enabled
    for chat in connection.chats.values():
        chat.changed()
        state.events.tell("chat", chat=chat.id)
    return _tell(state, connection)


def customer_of(state: State, connection: AccountConnection, customer: Json) -> Chat:
    """The account's chat with a customer.

    Raises:
        ControlError: the customer is the account itself, or there are too many chats.
    """
    chat = state.business.open_chat(
        connection, customer, lambda number, numbers: state.book.customers_chat(customer, number, numbers)
    )
    state.events.tell("chat", chat=chat.id)
    return chat


def _tell(state: State, connection: AccountConnection) -> int | None:
    return state.bot.queue.add("business_connection", connection.wire(), ("business", connection.id))
