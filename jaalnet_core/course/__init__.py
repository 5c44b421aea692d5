"""What lessons call: where they stand, pictures, trained networks, the same numbers, exercises and quizzes."""

from jaalnet_core.course.checking import check, grade, hint
from jaalnet_core.course.material import Trained, pictures, synthetic_pictures, trained
from jaalnet_core.course.opening import begin, project_folder
from jaalnet_core.course.progress import progress
from jaalnet_core.course.quiz import quiz
from jaalnet_core.course.sameness import copy_weights, same_numbers
from jaalnet_core.supplied import supplied

__all__ = [
    "Trained",
    "begin",
    "check",
    "copy_weights",
    "grade",
    "hint",
    "pictures",
    "progress",
    "project_folder",
    "quiz",
    "same_numbers",
    "supplied",
    "synthetic_pictures",
    "trained",
]
