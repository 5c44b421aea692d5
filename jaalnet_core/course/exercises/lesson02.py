"""The exercises of lesson 2: gates, outlines, and an edge map that is empty."""

from __future__ import annotations

from jaalnet_core.course.exercise import Exercise
from jaalnet_core.course.exercises.lesson02_gates import judge_channel_gates, judge_open_gate
from jaalnet_core.course.exercises.lesson02_outlines import judge_edge_map, judge_outline_agreement, judge_outline_of

EXERCISES = (
    Exercise(
        number="2.1",
        title="Open a gate",
        difficulty=1,
        minutes=5,
        points=1,
        hints=(
            "By which number is the stream multiplied where the gate is shut (a = 0), and where it is wide open (a = "
            "1)?",
            "The logits become a gate by the sigmoid. Then the formula of the lesson has one product and one sum.",
            "torch.sigmoid(gate_logits) has one channel, and broadcasting lends it to all channels of the stream. "
            "Mind the brackets around the sum.",
        ),
        judge=judge_open_gate,
    ),
    Exercise(
        number="2.2",
        title="An outline of any width",
        difficulty=2,
        minutes=10,
        points=2,
        hints=(
            "What are the largest and the smallest value in a window that lies across the border? And in one that "
            "does not?",
            "functional.max_pool2d with stride 1 gives the largest value around each pixel. The smallest is minus "
            "the largest of what?",
            "A padding of width // 2 keeps the size, and max_pool2d pads with minus infinity. Pool the mask and "
            "minus the mask, and put the two results together.",
        ),
        judge=judge_outline_of,
    ),
    Exercise(
        number="2.3",
        title="Find the bug: an empty edge map",
        difficulty=2,
        minutes=10,
        points=2,
        hints=(
            "Print the smallest and the largest value of `image`, and then of `picture`. What has become of 0.7?",
            "A cast to bytes keeps whole numbers. Between -1 and 1 there are hardly any. Which byte should -1 be, "
            "and which 1?",
            "Before the cast: shift by 1, so that values run from 0 to 2, then stretch them to 0..255, and round.",
        ),
        judge=judge_edge_map,
    ),
    Exercise(
        number="2.4",
        title="How near is near enough?",
        difficulty=3,
        minutes=20,
        points=3,
        hints=(
            "Which pixels of one outline have a pixel of the other nearby? Which map would be 1 exactly at those?",
            "Widen the truth by the reach, and see which share of the drawn pixels it covers. Then exchange the two.",
            "functional.max_pool2d on x[None, None], with a kernel of 2 * reach + 1, stride 1 and padding reach, "
            "widens an outline. Treat empty maps before you divide, and two shares of 0 as well.",
        ),
        judge=judge_outline_agreement,
    ),
    Exercise(
        number="2.5",
        title="Build a gate for each channel",
        difficulty=3,
        minutes=20,
        points=3,
        hints=(
            "How many channels has [stream, side]? How many gates does a pixel need now?",
            "Start from the lesson's MyContourGate: without its normalisation, without its last convolution, and "
            "with another number of channels at the end of g.",
            "nn.Sequential of a 1x1 nn.Conv2d (channels + 1 to channels + 1), nn.ReLU and a 1x1 nn.Conv2d (to "
            "channels); torch.cat along dim=1 stacks; then the sigmoid, and stream times one plus that.",
        ),
        judge=judge_channel_gates,
    ),
)
