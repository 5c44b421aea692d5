"""What a learner has done so far, in a table."""

from __future__ import annotations

from jaalnet_core.course.exercise import Exercise, all_exercises, exercises_of, lessons_with_exercises
from jaalnet_core.course.quiz import questions_of
from jaalnet_core.course.record import read_progress


def progress() -> None:
    """Print, lesson by lesson, exercises passed, points, hints taken and questions right; then what is next."""
    record = read_progress()
    print("lesson  exercises passed  points    hints  quiz right")
    for lesson in lessons_with_exercises():
        exercises = exercises_of(lesson)
        passed = [exercise for exercise in exercises if _passed(exercise, record)]
        points = f"{sum(exercise.points for exercise in passed)} of {sum(exercise.points for exercise in exercises)}"
        hints = sum(record["exercises"].get(exercise.number, {}).get("hints", 0) for exercise in exercises)
        right = list(record["quizzes"].get(str(lesson), {}).values()).count("passed")
        questions = f"{right} of {len(questions_of(lesson) or ())}"
        print(f"{lesson:02d}      {f'{len(passed)} of {len(exercises)}':16}  {points:8}  {hints:5}  {questions}")
    left = [exercise for exercise in all_exercises() if not _passed(exercise, record)]
    if left:
        tried = " (tried before)" if record["exercises"].get(left[0].number, {}).get("attempts") else ""
        print(f"Next: exercise {left[0].number}, {left[0].title}{tried}.")
    else:
        print("Every exercise is passed.")


def _passed(exercise: Exercise, record: dict) -> bool:
    return bool(record["exercises"].get(exercise.number, {}).get("passed"))
