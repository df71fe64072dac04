"""What would happen if: changes that make another World of a World, which the one engine then scores as any other.

Each kind of change is a pure function of a `State`; what it changes is evidence (agreements, restrictions, memberships,
governance, shares) or the ladder, never a score. Changes are done in the order given, but for two kinds that do not
depend on it: coalitions are defined first, and output lost, added and moved is summed up as fractions of world output
before any change and takes effect once, at the end.
"""

from service.world.scenario.apply import Worked, work_out
from service.world.scenario.state import ChangeError
from service.world.scenario.supply import Shock

__all__ = ["ChangeError", "Shock", "Worked", "work_out"]
