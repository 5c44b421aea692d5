"""The self-test of lesson 00: what the course takes for granted. Twelve questions, about 15 minutes."""

from __future__ import annotations

import math

from jaalnet_core.course.quiz import Question

QUESTIONS = (
    Question(
        asks="x = torch.zeros(4, 3, 128, 96). What is the shape of x.permute(0, 2, 3, 1)?",
        answer=(4, 128, 96, 3),
        refresher="permute lists, for each new axis, the old axis that goes there. Photographs are (H, W, 3) in files "
        "and OpenCV, (B, 3, H, W) in PyTorch: batch, channels, height, width.",
        mistakes=[((4, 96, 128, 3), "Height stays before width: old axis 2 comes first.")],
    ),
    Question(
        asks="An array of bytes: np.array([200], np.uint8) + np.array([100], np.uint8). Which number does it hold?",
        answer=44,
        refresher="a byte counts from 0 to 255 and starts again: 256 becomes 0. Turn pictures to float32 in 0..1 "
        "before you calculate.",
        mistakes=[(300, "300 does not fit into a byte."), (255, "NumPy does not stop at 255; OpenCV's add does.")],
    ),
    Question(
        asks="a has shape (2, 8, 4, 4) and g has shape (2, 8, 1, 1). What is the shape of a * g?",
        answer=(2, 8, 4, 4),
        refresher="an axis of length 1 is repeated to match the other (broadcasting). This is how one gate a channel "
        "scales a whole feature map.",
    ),
    Question(
        asks="A 3x3 convolution with stride 2 and padding 1 reads a 128x128 map. How many pixels a side has its "
        "result?",
        answer=64,
        refresher="size after = (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1.",
        mistakes=[(63, "That is without the padding."), (128, "Stride 2 takes every second place.")],
    ),
    Question(
        asks="How many learned numbers has torch.nn.Conv2d(3, 16, kernel_size=3), bias included?",
        answer=448,
        refresher="a filter sees every input channel: out * in * kernel * kernel weights, and one bias for each output "
        "channel.",
        mistakes=[
            (432, "Those are the weights; each of the 16 filters has a bias too."),
            (160, "Each filter has 3x3 numbers for every one of the 3 input channels."),
        ],
    ),
    Question(
        asks="A network's output (a logit) is 0. Which probability does the sigmoid make of it?",
        answer=0.5,
        refresher="sigmoid(x) = 1 / (1 + exp(-x)): negative logits lie below one half, positive ones above. So 'logit "
        "> 0' and 'probability > 0.5' are the same mask.",
        mistakes=[(0, "0 is the logit; the probability 0 needs a logit of minus infinity.")],
    ),
    Question(
        asks="The true class has probability 0.5. How large is its cross-entropy (natural logarithm)?",
        answer=math.log(2),
        refresher="cross-entropy is -log(probability of the truth): 0 for a certain right answer, growing without "
        "limit for a certain wrong one.",
        mistakes=[(-math.log(2), "A loss is the negative logarithm, so it is not negative.")],
        tolerance=0.006,
    ),
    Question(
        asks="x has shape (4, 5). What is the sum of all entries of torch.softmax(x, dim=-1)?",
        answer=4,
        refresher="softmax makes the entries along its axis positive and lets them sum to 1. Along the last axis each "
        "of the rows sums to 1.",
        mistakes=[(1, "Each row sums to 1, and there are several rows."), (5, "That would be dim=0.")],
        tolerance=1e-4,
    ),
    Question(
        asks="y = x ** 2 with x = torch.tensor(3., requires_grad=True). What is x.grad after y.backward()?",
        answer=6,
        refresher="backward fills .grad with the derivative, here 2 * x. A second backward adds to it: gradients must "
        "be cleared before every step.",
        mistakes=[(9, "That is y itself.")],
        tolerance=1e-6,
    ),
    Question(
        asks="fake = generator(z); score = discriminator(fake.detach()). Can score.backward() change the generator's "
        "gradients? Answer True or False.",
        answer=False,
        refresher="detach returns the same numbers cut off from their history: gradients stop there. It keeps a step "
        "meant for one network from reaching the other.",
    ),
    Question(
        asks="Which mode makes batch normalisation use its stored averages, so that a picture's result does not "
        "depend on its neighbours in the batch: 'train' or 'eval'?",
        answer="eval",
        refresher="network.eval() switches batch normalisation and dropout to prediction; network.train() switches "
        "back. torch.no_grad() is another thing: it saves the memory of gradients.",
    ),
    Question(
        asks="Two masks of 100 pixels each have 50 pixels in common. What is their intersection over union (IoU)?",
        answer=1 / 3,
        refresher="IoU = common / all that either covers. Dice = 2 * common / (pixels of one + pixels of the other).",
        mistakes=[(0.5, "That is Dice. The union has 150 pixels.")],
        tolerance=0.006,
    ),
)
