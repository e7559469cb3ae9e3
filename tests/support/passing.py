"""Time that passes in a running service: the clock is moved by hand, and the sweeper looks as its thread does."""

from datetime import timedelta

from tests.support.http import Service


def sweep(house: Service) -> None:
    """The sweeper looks until nothing is due any more."""
    house.project()
    while house.container.sweeper.run_once():
        house.project()


def pass_time(house: Service, **time: float) -> None:
    """So much time passes, and then the sweeper looks."""
    house.clock.now += timedelta(**time)
    sweep(house)


def learn(house: Service) -> None:
    """The learner looks until nothing new follows from what was recorded."""
    house.project()
    while house.container.learner.run_once():
        house.project()
