"""jaalnet_core.data.room: so much at once and no more, and nobody waits for ever."""

import threading

import pytest

from jaalnet_core.data.room import Room


def test_never_more_at_once_than_there_is_room_for():
    room, lock, held, most = Room(10), threading.Lock(), 0, 0

    def work(amount):
        nonlocal held, most
        for _ in range(50):
            with room.take(amount):
                with lock:
                    held += amount
                    most = max(most, held)
                with lock:
                    held -= amount

    threads = [threading.Thread(target=work, args=(amount,)) for amount in (1, 3, 4, 6, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
        assert not thread.is_alive()
    assert 7 <= most <= 10


def test_the_too_large_has_it_all_alone():
    room, inside = Room(10), threading.Event()
    other = threading.Thread(target=lambda: _enter(room, inside))
    with room.take(1000):
        other.start()
        assert not inside.wait(0.1)
    other.join(timeout=60)
    assert inside.is_set()


def test_a_failure_gives_the_room_back():
    room = Room(1)
    for _ in range(3):
        with pytest.raises(ValueError, match="fails"), room.take(1):
            raise ValueError("fails")


def _enter(room, inside):
    with room.take(1):
        inside.set()
