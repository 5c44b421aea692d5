"""The quiz of lesson 2: contour attention."""

from __future__ import annotations

from jaalnet_core.course.quiz import Question

QUESTIONS = (
    Question(
        asks="A pixel of the stream has the value 4, its gate the logit 0. Which value leaves the gate, before the "
        "convolution?",
        answer=6,
        refresher="the gate is a = sigmoid(logit), and the stream is multiplied by 1 + a.",
        mistakes=[
            (2, "That is 4 * a. The stream is multiplied by 1 + a."),
            (4, "That would be a shut gate, a = 0. The sigmoid of 0 is not 0."),
            (8, "That would be a wide open gate, a = 1."),
        ],
    ),
    Question(
        asks="Along an edge, one pixel wide, lie the magnitudes 8, 40, 120, 60, 9, 30. Canny's thresholds are 10 and "
        "100. How many of these pixels are kept?",
        answer=3,
        refresher="above the high threshold a pixel stays; above the low one it stays if a chain of such pixels "
        "leads to one above the high.",
        mistakes=[
            (1, "The weak pixels beside the strong one hang on to it."),
            (4, "The pixel of 30 is cut off from the strong one by a pixel of 9."),
        ],
    ),
    Question(
        asks="A picture in -1..1, of skin and lesion, holds no pixel of exactly -1 or 1. Cast to bytes with "
        ".astype('uint8'), how many different bytes does it hold?",
        answer=1,
        refresher="a cast drops what follows the point: 0.9 becomes 0, and so does -0.9. Nothing warns you.",
        mistakes=[(2, "Between -1 and 1, ends excluded, dropping what follows the point leaves only 0.")],
    ),
    Question(
        asks="The left half of a mask of 10 rows and 12 columns is lesion, the right half skin. How many pixels has "
        "its outline of width 3?",
        answer=20,
        refresher="a pixel is outline where the window around it holds lesion and skin. With width 3 the window "
        "reaches one pixel to each side, and beyond the picture there is nothing.",
        mistakes=[
            (30, "The window is three wide; the outline has one column on each side of the border."),
            (10, "Pixels on both sides of the border have lesion and skin in their window."),
            (60, "That is the lesion itself."),
        ],
    ),
    Question(
        asks="One level of the stream, ContourAttention(16, 8, 24), gets a stream of shape (2, 16, 32, 32) and "
        "decoder features of shape (2, 24, 64, 64). What is the shape of its result?",
        answer=(2, 8, 64, 64),
        refresher="a level doubles the stream's height and width and brings its channels from the first number to "
        "the second; the third is the decoder's channels, which only set the gate.",
        mistakes=[
            ((2, 16, 64, 64), "The upsampling halves the channels: 16 come in, 8 go out."),
            ((2, 8, 32, 32), "The stream grows to the decoder's size."),
            ((2, 24, 64, 64), "The decoder's channels set the gate and go no further."),
        ],
    ),
)
