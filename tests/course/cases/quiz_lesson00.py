"""What the self-test of lesson 00 asks, worked out by the libraries themselves."""

import numpy as np
import torch

TRUTH = {
    1: lambda: torch.zeros(4, 3, 128, 96).permute(0, 2, 3, 1).shape,
    2: lambda: (np.array([200], np.uint8) + np.array([100], np.uint8))[0],
    3: lambda: (torch.ones(2, 8, 4, 4) * torch.ones(2, 8, 1, 1)).shape,
    4: lambda: torch.nn.Conv2d(1, 1, 3, stride=2, padding=1)(torch.zeros(1, 1, 128, 128)).shape[-1],
    5: lambda: sum(p.numel() for p in torch.nn.Conv2d(3, 16, kernel_size=3).parameters()),
    6: lambda: torch.sigmoid(torch.tensor(0.0)),
    7: lambda: torch.nn.functional.binary_cross_entropy(torch.tensor(0.5), torch.tensor(1.0)),
    8: lambda: torch.softmax(torch.rand(4, 5), dim=-1).sum(),
    9: lambda: torch.autograd.grad((x := torch.tensor(3.0, requires_grad=True)) ** 2, x)[0],
    10: lambda: (torch.ones(1, requires_grad=True) * 2).detach().requires_grad,
    12: lambda: 50 / (100 + 100 - 50),
}
