"""One adversarial step: DA-Net learns to tell, then LF-Net learns to draw. This is the heart of JAAL-Net."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from jaalnet_core.da_net import pair
from jaalnet_core.losses import REGION_LOSSES, contour_loss, discriminator_loss, generator_loss
from jaalnet_core.training.fabric import Fabric
from jaalnet_core.training.processes import Processes
from jaalnet_core.training.settings import TrainSettings


@dataclass
class AdversarialStep:
    """Both networks with their optimisers, ready to learn from one batch after another.

    Attributes:
        settings: resolved settings (no None left from the recipe).
        da_net, da_optimizer: None when `adversarial_weight` is 0, which trains LF-Net alone.
        processes: those that divide the batch among them; by default this one has it whole.
    """

    fabric: Fabric
    settings: TrainSettings
    lf_net: nn.Module
    lf_optimizer: Optimizer
    da_net: nn.Module | None = None
    da_optimizer: Optimizer | None = None
    processes: Processes = field(default_factory=Processes)

    def __call__(self, images: Tensor, masks: Tensor) -> dict[str, Tensor]:
        """Learn from images `(B, 3, H, W)` in 0..1 and masks `(B, 1, H, W)`; returns detached scalars for the log."""
        if self.settings.contour_weight:
            logits, contour_logits = self.lf_net(images, with_contour=True)
        else:
            logits, contour_logits = self.lf_net(images), None
        log = {}
        if self.da_net is not None:
            log |= self.discriminator_step(images, masks, torch.sigmoid(logits).detach())
        return log | self.generator_step(images, masks, logits, contour_logits)

    def discriminator_step(self, images: Tensor, masks: Tensor, predicted: Tensor) -> dict[str, Tensor]:
        """Teach DA-Net that (image, expert mask) is real and the pairs with a predicted mask are not."""
        kind = self.settings.adversarial_loss
        real = self.da_net(pair(images, masks))
        fake = self.da_net(pair(images, predicted))
        fake_loss = discriminator_loss(fake, real=False, kind=kind)
        if self.settings.second_fake:
            second = self.da_net(pair(masks, predicted))
            fake_loss = (fake_loss + discriminator_loss(second, real=False, kind=kind)) / 2
        loss = (discriminator_loss(real, real=True, kind=kind) + fake_loss) / 2
        self._descend(loss, self.da_net, self.da_optimizer)
        return {
            "d_loss": loss.detach(),
            "d_real": torch.sigmoid(real.detach()).mean(),
            "d_fake": torch.sigmoid(fake.detach()).mean(),
        }

    def generator_step(
        self, images: Tensor, masks: Tensor, logits: Tensor, contour_logits: Tensor | None
    ) -> dict[str, Tensor]:
        """Teach LF-Net the mask, its outline (unless its weight is 0), and to be taken for an expert."""
        region = REGION_LOSSES[self.settings.region_loss](logits.float(), masks)
        log = {"region": region.detach()}
        loss = region
        if self.settings.contour_weight:
            outline = contour_loss(contour_logits.float(), masks, batch_mean=self.processes.mean)
            loss = loss + self.settings.contour_weight * outline
            log["contour"] = outline.detach()
        if self.da_net is not None:
            self.da_net.requires_grad_(False)  # DA-Net only advises now; its own gradients would be thrown away
            opinion = self.da_net(pair(images, torch.sigmoid(logits)))
            adversarial = generator_loss(opinion, self.settings.adversarial_loss)
            loss = loss + self.settings.adversarial_weight * adversarial
            log["adversarial"] = adversarial.detach()
        self._descend(loss, self.lf_net, self.lf_optimizer)
        if self.da_net is not None:
            self.da_net.requires_grad_(True)
        return log | {"g_loss": loss.detach()}

    def _descend(self, loss: Tensor, network: nn.Module, optimizer: Optimizer) -> None:
        optimizer.zero_grad()
        self.fabric.backward(self.processes.weighted(loss))
        if self.settings.clip:
            self.fabric.clip_gradients(network, optimizer, max_norm=self.settings.clip, error_if_nonfinite=False)
        optimizer.step()
