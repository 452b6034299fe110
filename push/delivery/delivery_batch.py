"""What a turn of the loop has for whom: the new items of an audience are one list for all who receive them. No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter

from push.delivery.subscriptions import RecipientGroup, Subscription
from push.protocol.items import FeedDelta


class DeliveryBatch:
    """Collects the new items of live subscriptions until they are sent. Nothing may be awaited in between."""

    def __init__(self) -> None:
        self._groups: list[RecipientGroup] = []
        self._touched: list[Subscription] = []

    def add(self, group: RecipientGroup, item: FeedDelta) -> int:
        """An item for an audience, above all that it was given before. Returns the number of deliveries."""
        if not group.fresh:
            self._begin(group)
        group.fresh.append(item)
        return group.reached

    def end(self) -> list[tuple[Subscription, list[FeedDelta]]]:
        """Each subscription's new items, in order. Most lists are shared: do not change them."""
        touched, self._touched = self._touched, []
        found = []
        for subscription in touched:
            lists, subscription.fresh = subscription.fresh, ()
            found.append((subscription, lists[0] if len(lists) == 1 else _merged(lists)))
        for group in self._groups:
            group.fresh = []
        self._groups.clear()
        return found

    def _begin(self, group: RecipientGroup) -> None:
        """The first item of the turn for these: whoever is live gets the list that it and the others will be in."""
        self._groups.append(group)
        touched, fresh = self._touched, (group.fresh,)
        reached = 0
        for user_state in group.user_states:
            for subscription in user_state.subscriptions:
                if subscription.live:
                    reached += 1
                    if subscription.fresh:
                        subscription.fresh += fresh
                    else:
                        subscription.fresh = fresh
                        touched.append(subscription)
        group.reached = reached


def _merged(lists: Sequence[list[FeedDelta]]) -> list[FeedDelta]:
    # Somebody may be named in a record, and be in a room that it names.
    return sorted({item.cursor: item for items in lists for item in items}.values(), key=attrgetter("cursor"))
