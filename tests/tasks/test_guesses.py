"""Wrong passwords are counted by address, in bounded memory."""

from tasks.http.guesses import AT_ONCE, EACH_S, PasswordGuesses


def test_of_addresses_without_end_the_oldest_are_forgotten_and_the_newest_are_counted() -> None:
    guesses = PasswordGuesses()
    for number in range(20_000):
        guesses.wrong(f"10.0.{number // 250}.{number % 250}", 0.0)
    assert len(guesses._paid_until) == 4096
    assert [guesses.wrong("10.0.79.249", 0.0) for _ in range(AT_ONCE)][-1] == AT_ONCE + 1
    assert guesses.wait_s("10.0.79.249", 0.0) == 2 * EACH_S
    assert guesses.wait_s("10.0.79.248", 0.0) == 0


def test_a_network_of_ipv6_counts_as_one_address_and_a_mapped_address_as_itself() -> None:
    guesses = PasswordGuesses()
    for number in range(AT_ONCE):
        guesses.wrong(f"2001:db8:1:2::{number}", 5.0)
        guesses.wrong("::ffff:192.0.2.1", 5.0)
    assert guesses.wait_s("2001:db8:1:2:ffff::1", 5.0) == guesses.wait_s("192.0.2.1", 5.0) == EACH_S
    assert guesses.wait_s("2001:db8:1:3::1", 5.0) == guesses.wait_s("192.0.2.2", 5.0) == 0
    assert guesses.wait_s("192.0.2.1", 5.0 + EACH_S) == 0
    assert guesses.wait_s("no address", 5.0) == 0
