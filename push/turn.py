"""What one turn of the loop has for whom: the new items of an audience are one list for all who hear them. No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter

from push.items import Item
from push.subscriptions import Mailbox, Subscription


class Audience:
    """Users who are given the same items."""

    __slots__ = ("boxes", "fresh", "items", "names", "reached")

    def __init__(self, boxes: Sequence[Mailbox], names: tuple[str, ...] = ()) -> None:
        #: As whom the feed names them.
        self.names = names
        self.boxes = boxes
        #: Those of their recent items that came with these names, oldest first.
        self.items: list[Item] = []
        #: The items of this turn.
        self.fresh: list[Item] = []
        #: Live subscriptions that get them.
        self.reached = 0


class Turn:
    """Collects the new items of live subscriptions until they are sent. Nothing may be awaited in between."""

    def __init__(self) -> None:
        self._audiences: list[Audience] = []
        self._touched: list[Subscription] = []

    def add(self, audience: Audience, item: Item) -> int:
        """An item for an audience, above all that it was given before. Returns the number of deliveries."""
        if not audience.fresh:
            self._begin(audience)
        audience.fresh.append(item)
        return audience.reached

    def end(self) -> list[tuple[Subscription, list[Item]]]:
        """Each subscription's new items, in order. Most lists are shared: do not change them."""
        touched, self._touched = self._touched, []
        found = []
        for subscription in touched:
            lists, subscription.fresh = subscription.fresh, ()
            found.append((subscription, lists[0] if len(lists) == 1 else _merged(lists)))
        for audience in self._audiences:
            audience.fresh = []
        self._audiences.clear()
        return found

    def _begin(self, audience: Audience) -> None:
        """The first item of the turn for these: whoever is live gets the list that it and the others will be in."""
        self._audiences.append(audience)
        touched, fresh = self._touched, (audience.fresh,)
        reached = 0
        for box in audience.boxes:
            for subscription in box.subscriptions:
                if subscription.live:
                    reached += 1
                    if subscription.fresh:
                        subscription.fresh += fresh
                    else:
                        subscription.fresh = fresh
                        touched.append(subscription)
        audience.reached = reached


def _merged(lists: Sequence[list[Item]]) -> list[Item]:
    # Somebody may be named in a record, and be in a room that it names.
    return sorted({item.cursor: item for items in lists for item in items}.values(), key=attrgetter("cursor"))
