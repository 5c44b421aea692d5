"""What a lesson's first cells call: where it stands, pictures to look at, trained networks, and the same numbers."""

from jaalnet_core.course.material import Trained, pictures, synthetic_pictures, trained
from jaalnet_core.course.opening import begin, project_folder
from jaalnet_core.course.prerequisites import self_test
from jaalnet_core.course.sameness import copy_weights, same_numbers

__all__ = [
    "Trained",
    "begin",
    "copy_weights",
    "pictures",
    "project_folder",
    "same_numbers",
    "self_test",
    "synthetic_pictures",
    "trained",
]
