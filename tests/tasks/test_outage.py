"""An outage has a beginning and an end, and is not told for each try."""

from tasks.outage import Outage


def test_an_outage_is_told_when_it_begins_and_when_it_ends_with_its_length() -> None:
    now = [100.0]
    outage = Outage(lambda: now[0])
    assert outage.ended() is None
    assert [outage.began() for _ in range(3)] == [True, False, False]
    now[0] = 107.25
    assert outage.ended() == 7.2
    assert outage.ended() is None
    assert outage.began()
