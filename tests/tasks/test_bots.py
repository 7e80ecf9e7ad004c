"""The file of bots: what it says, what is wrong with it, and where the tokens come from."""

from pathlib import Path

import pytest

from tasks.bots import BotsReader, bots_of, resolved
from tasks.config.forms import _SECRET
from tasks.config.settings import load
from tasks.errors import Misconfigured
from tasks.operator_files.agent_files import BadFile, card_files, read_mapping
from tasks.operator_files.bots_file import MOST_BOTS, read
from tasks.operator_files.watched import Watched, stamp_of

ONE, TWO = "101:one-token", "202:two-token"
ENVIRON = {"ONE": ONE, "TWO": TWO}
BOTH = "bots:\n  one: {token: $ONE}\n  two: {token: '${TWO}'}\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "bots.yaml"
    path.write_text(BOTH)
    return path


def test_tokens_come_from_the_environment_and_what_it_lacks_from_the_file_of_tokens(file: Path, tmp_path: Path) -> None:
    tokens = tmp_path / "tokens"
    tokens.write_text(f"TWO={TWO}\nONE=1:of-the-file\n")
    bots = resolved(file, tokens, {"ONE": ONE})
    assert [(bot.name, bot.id, bot.token) for bot in bots] == [("one", 101, ONE), ("two", 202, TWO)]
    assert ONE not in repr(bots), "a token is in no log"


def test_a_bot_has_settings_of_its_own_over_those_of_the_deployment(file: Path) -> None:
    file.write_text(
        "bots:\n  one:\n    token: $ONE\n    agents: [poet, clerk]\n    access: allowlist\n    allow: [5, -7]\n"
        "    admins: 9\n    budget_user: 100\n    business: true\n    send_rate: 3\n  two: {token: $TWO}\n"
    )
    common = load({"COHORT_ADMINS": "1", "COHORT_LANES": "7", "COHORT_BOTS": str(file), "COHORT_WEBHOOK_PORT": "9"})
    one, two = (bot.settings(common) for bot in bots_of(common, ENVIRON))
    assert (one.bot_id, one.access, one.allow, one.admins) == (101, "allowlist", (5, -7), (9,))
    assert (one.agent, one.budget_user, one.business, one.send_rate, one.lanes) == ("poet", 100, True, 3, 7)
    assert (two.bot_id, two.access, two.admins, two.agent, two.lanes) == (202, None, (1,), None, 7)
    assert (one.webhook_url, one.webhook_port) == (None, 0), "an address is one bot's"


def test_a_bot_s_process_has_its_variables_and_no_other_bot_s_token(file: Path) -> None:
    one, _ = resolved(file, file.with_name("none"), ENVIRON)
    own = load({"REDIS_URL": "redis://127.0.0.1", "COHORT_BOTS": str(file), **one.variables})
    assert (own.token, own.bot) == (ONE, "one")
    assert TWO not in str(one.variables)


@pytest.mark.promise("bot-cards")
def test_a_bot_may_have_cards_and_rules_of_chats_of_its_own(file: Path) -> None:
    file.write_text(
        "bots:\n  one: {token: $ONE, cards: shop/cards, chats: shop/chats.yaml}\n"
        "  two: {token: $TWO, cards: bank, agents: [clerk]}\n"
    )
    common = load({"COHORT_BOTS": str(file), "COHORT_CARDS": "all", "COHORT_AGENT": "of-all"})
    one, two = bots_of(common, ENVIRON)
    assert (one.entry.cards, one.entry.chats) == (Path("shop/cards"), Path("shop/chats.yaml"))
    assert (two.entry.cards, two.entry.chats) == (Path("bank"), None)
    found = [bot.settings(common) for bot in (one, two)]
    assert [(own.cards, own.agent) for own in found] == [(Path("shop/cards"), None), (Path("bank"), "clerk")]
    assert [own.chats for own in found] == [Path("shop/chats.yaml"), common.chats]
    assert load({"COHORT_CARDS": "all", "COHORT_AGENT": "of-all", **one.variables}).agent is None


@pytest.mark.promise("bots-file")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "names no bots; write `bots:`"),
        ("bots:\n", "names no bots"),
        ("bots: []\n", "names no bots"),
        ("bots: {}\n", "names no bots"),
        ("one: {token: $ONE}\n", "1: one: there is no such key; put the bots below `bots:`"),
        ("bots: {one: }\n", "1: bots.one: is no mapping"),
        ("bots:\n  One Two: {token: $ONE}\n", "2: bots.One Two: is no name"),
        ("bots:\n  ../x: {token: $ONE}\n", "2: bots.../x: is no name"),
        ("bots:\n  7: {token: $ONE}\n", "2: bots.7: is no name"),
        ("bots:\n  one: {token: $ONE}\n  one: {token: $TWO}\n", "3: `one` stands here for the second time"),
        ("bots:\n  one: {token: '101:one-token'}\n", "2: bots.one.token: names no variable; write `token: $NAME`"),
        ("bots:\n  one: {model: x}\n", "2: bots.one.token: names no variable"),
        (
            "bots:\n  one: {token: $ONE, acess: open}\n",
            "2: bots.one.acess: there is no such key; did you mean `access`?",
        ),
        ("bots:\n  one: {token: $ONE, access: all}\n", "2: bots.one.access: must be pairing, allowlist or open"),
        ("bots:\n  one: {token: $ONE, allow: [me]}\n", "2: bots.one.allow: "),
        ("bots:\n  one: {token: $ONE, allow: {a: b}}\n", "2: bots.one.allow: is no text, number or list"),
        ("bots:\n  one: {token: $ONE, agents: poet}\n", "2: bots.one.agents: is no list of names"),
        ("bots:\n  one: {token: $ONE, model: ' '}\n", "2: bots.one.model: is no name"),
        ("bots:\n  one: {token: $ONE, paused: 1}\n", "2: bots.one.paused: must be true or false"),
        ("bots:\n  one: {token: $ONE, cards: [a, b]}\n", "2: bots.one.cards: is no path"),
        ("bots:\n  one: {token: $ONE, cards: ''}\n", "2: bots.one.cards: is no path"),
        ("bots:\n  one: {token: $ONE, chats: 7}\n", "2: bots.one.chats: is no path"),
        ("bots:\n  one: {token: $NONE}\n", "bots.one: NONE is not set here"),
        ("bots:\n  one: {token: $ODD}\n", "bots.one: ODD does not look like a bot token"),
        ("bots:\n  one: {token: $ONE}\n  also: {token: $ONE}\n", "bots.also and bots.one are the same bot (101)"),
        ("bots:\n" + "".join(f"  b{n}: {{token: $ONE}}\n" for n in range(MOST_BOTS + 1)), "names 101 bots"),
        ("bots: [\n", "not YAML"),
        (
            "bots:\n  one:\n    token: $ONE\n    webhook_url: https://x.example/a\n",
            "4: bots.one.webhook_url: has no webhook_port; write the local port that this bot listens on",
        ),
        (
            "bots:\n  one: &x {token: $ONE, webhook_url: https://x.example/a, webhook_port: 1}\n  two: {<<: *x}\n",
            "3: bots.two.webhook_url: is that of bots.one, too; give each bot its own address",
        ),
    ],
)
def test_what_is_wrong_with_the_file_is_one_line_without_a_token(file: Path, text: str, said: str) -> None:
    file.write_text(text)
    with pytest.raises(Misconfigured) as problem:
        resolved(file, file.with_name("none"), {**ENVIRON, "ODD": "odd-secret"})
    assert said in str(problem.value)
    assert "\n" not in str(problem.value)
    assert not any(secret in str(problem.value) for secret in ("one-token", "two-token", "odd-secret"))


@pytest.mark.promise("bots-file")
@pytest.mark.promise("many-bots")
@pytest.mark.parametrize("broken", [None, "bots: [\n", "bots:\n  one: {token: 5}\n"])
def test_a_start_with_a_broken_file_goes_on_with_the_bots_of_before_and_a_first_one_is_refused(
    file: Path, tmp_path: Path, broken: str | None
) -> None:
    environ = {"ONE": "101:t"}
    settings = load({"COHORT_BOTS": str(file), "COHORT_HOME": str(tmp_path / "home")})
    file.write_text("bots:\n  one: {token: $ONE}\n")

    def damage() -> None:
        file.unlink() if broken is None else file.write_text(broken)

    (before,) = BotsReader(settings, environ)()
    damage()
    with pytest.raises(BadFile):
        bots_of(settings, environ)
    read = BotsReader(settings, environ)
    assert read() == (before,)
    assert str(file) in read.stands_in
    with pytest.raises(BadFile):
        read()  # it stays as it is, and is told as a file that breaks while a process runs
    with pytest.raises(BadFile):
        BotsReader(settings.model_copy(update={"home": tmp_path / "new"}), environ)()
    with pytest.raises(BadFile):
        BotsReader(settings, {})()  # the token is gone, too
    file.write_text("bots:\n  two: {token: $ONE}\n")
    assert [bot.name for bot in read()] == ["two"]
    damage()
    assert [bot.name for bot in BotsReader(settings, environ)()] == ["two"]


def test_a_file_that_breaks_leaves_the_bots_as_they_were_and_one_that_is_mended_counts(file: Path) -> None:
    watched = Watched(lambda: read(file), (file,))
    assert not watched.look()
    file.write_text("bots:\n  one: {token: $ONE, paused: yes}\n  three: [\n")
    assert not watched.look()
    assert watched.problem is not None
    assert "not YAML" in watched.problem
    assert [entry.name for entry in watched.now] == ["one", "two"]
    file.unlink()
    assert not watched.look()
    assert len(watched.now) == 2
    file.write_text("bots:\n  one: {token: $ONE, paused: yes}\n")
    assert watched.look()
    assert [(entry.name, entry.paused) for entry in watched.now] == [("one", True)]
    assert watched.problem is None


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"COHORT_WEBHOOK_URL": "https://x.example"}, "COHORT_WEBHOOK_URL: with COHORT_BOTS each bot has its own"),
        ({"COHORT_PUBLIC_URL": "https://x.example"}, "COHORT_PUBLIC_URL: not with COHORT_BOTS"),
    ],
)
def test_what_only_one_bot_can_have_is_refused_for_several(file: Path, given: dict[str, str], said: str) -> None:
    with pytest.raises(Misconfigured, match=said):
        load({"COHORT_BOTS": str(file), "COHORT_WEBHOOK_SECRET": "s" * 16, **given})


def test_bots_may_be_called_by_telegram_each_at_its_own_address_with_a_secret_of_its_own(file: Path) -> None:
    file.write_text(
        "bots:\n  one: {token: $ONE, webhook_url: https://x.example/one, webhook_port: 8443}\n"
        "  two: {token: $TWO, webhook_url: https://x.example/two, webhook_port: 8444}\n  polls: {token: $THREE}\n"
    )
    common = {"COHORT_BOTS": str(file), "COHORT_WEBHOOK_SECRET": "s" * 16}
    processes = [
        load({**common, **bot.variables}) for bot in resolved(file, file, {**ENVIRON, "THREE": "303:three-token"})
    ]
    called = [(own.webhook_url, own.webhook_port) for own in processes]
    assert called == [("https://x.example/one", 8443), ("https://x.example/two", 8444), (None, 0)]
    secrets = {own.webhook_token for own in processes}
    assert len(secrets) == 3, "one bot's secret opens no other bot's address"
    assert "s" * 16 not in secrets, "the deployment's opens none"
    assert all(_SECRET.fullmatch(secret) for secret in secrets), "Telegram takes it"
    rotated = resolved(file, file, {**ENVIRON, "ONE": "101:another", "THREE": "303:three-token"})[0]
    assert load({**common, **rotated.variables}).webhook_token == processes[0].webhook_token, "the token may change"
    alone = {"TELEGRAM_BOT_TOKEN": ONE, "COHORT_WEBHOOK_URL": "https://x.example", "COHORT_WEBHOOK_SECRET": "s" * 16}
    assert load(alone).webhook_token == "s" * 16, "one bot has the secret itself"
    with pytest.raises(Misconfigured, match="COHORT_WEBHOOK_SECRET: required"):
        load({"COHORT_BOTS": str(file), **resolved(file, file, {**ENVIRON, "THREE": "303:x"})[0].variables})


def test_without_a_file_there_is_one_bot() -> None:
    assert bots_of(load({"TELEGRAM_BOT_TOKEN": ONE})) == ()


@pytest.mark.promise("bots-file")
def test_a_name_that_no_file_can_have_and_a_directory_are_told_in_one_line(file: Path) -> None:
    file.unlink()
    file.mkdir()
    with pytest.raises(Misconfigured, match=r"bots\.yaml: cannot be read \(Is a directory\)"):
        read(file)
    for name in ("no\0name", "x" * 5_000):
        with pytest.raises(Misconfigured, match="cannot be read"):
            read_mapping(file / name)
        with pytest.raises(Misconfigured, match="no such directory"):
            card_files(file / name)
        assert stamp_of(file / name) is None
