"""What every part of the networks must do: gradients, batches, files, compilation and export."""

from __future__ import annotations

import pytest
import torch
from module_cases import PARTS, build
from safetensors.torch import load_file, save_file
from torch.func import functional_call

every_part = pytest.mark.parametrize("name", PARTS)


@every_part
def test_shape_and_type_are_kept(name):
    inputs = PARTS[name].inputs(batch=3)
    out = build(name)(*inputs)
    assert out.shape == (3, *PARTS[name].out_shape)
    assert out.dtype == torch.float32


@every_part
def test_gradients_equal_finite_differences(name):
    """Of the inputs and of every parameter, in float64 and evaluation mode."""
    module = build(name).double()
    parameters = {key: value.detach().requires_grad_() for key, value in module.named_parameters()}
    inputs = [tensor.requires_grad_() for tensor in PARTS[name].inputs(batch=1, dtype=torch.float64)]

    def function(*tensors):
        weights = dict(zip(parameters, tensors[len(inputs) :], strict=True))
        return functional_call(module, weights, tensors[: len(inputs)])

    # one random direction through all inputs and outputs: the full Jacobians are many times as slow, and no stricter
    assert torch.autograd.gradcheck(function, (*inputs, *parameters.values()), fast_mode=True)


@every_part
def test_every_parameter_matters(name):
    """A change of any one parameter tensor changes the output."""
    module, inputs = build(name), PARTS[name].inputs()
    before = module(*inputs)
    for key, parameter in module.named_parameters():
        if key.endswith("key.bias"):
            continue  # the same for every position: the softmax takes it out again
        kept = parameter.detach().clone()
        parameter.data += torch.linspace(0.3, 0.7, parameter.numel()).reshape(parameter.shape)
        assert not torch.allclose(module(*inputs), before, atol=1e-4), key
        parameter.data = kept
    torch.testing.assert_close(module(*inputs), before, rtol=0, atol=0)


@every_part
def test_pictures_of_a_batch_do_not_mix(name):
    module, inputs = build(name), PARTS[name].inputs(batch=3)
    alone = torch.cat([module(*(tensor[i : i + 1] for tensor in inputs)) for i in range(3)])
    torch.testing.assert_close(module(*inputs), alone, rtol=1e-5, atol=1e-5)


@every_part
def test_inputs_are_left_as_they_were(name):
    inputs = PARTS[name].inputs()
    copies = [tensor.clone() for tensor in inputs]
    build(name)(*inputs)
    assert all(torch.equal(tensor, copy) for tensor, copy in zip(inputs, copies, strict=True))


@every_part
def test_saved_weights_give_the_same_part(name, tmp_path):
    module, other, inputs = build(name), build(name, seed=9), PARTS[name].inputs()
    assert not torch.equal(module(*inputs), other(*inputs))
    save_file(module.state_dict(), tmp_path / "part.safetensors")
    other.load_state_dict(load_file(tmp_path / "part.safetensors"))
    assert torch.equal(module(*inputs), other(*inputs))


@pytest.mark.untraced
@every_part
def test_compiles_to_one_graph(name):
    """Without a break in the graph; the code generator itself is tried on the whole networks."""
    module, inputs = build(name), PARTS[name].inputs()
    torch.compiler.reset()
    compiled = torch.compile(module, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(*inputs), module(*inputs), rtol=1e-5, atol=1e-5)


@pytest.mark.long
@every_part
def test_exports_to_onnx(name, tmp_path):
    """One at a time; the tiny networks, which hold all of them, are exported in the default run."""
    onnxruntime = pytest.importorskip("onnxruntime")
    module, inputs = build(name), PARTS[name].inputs()
    batch = torch.export.Dim("batch")
    torch.onnx.export(
        module,
        inputs,
        tmp_path / "part.onnx",
        dynamic_shapes=tuple({0: batch} for _ in inputs),
        external_data=False,
        verbose=False,
    )
    session = onnxruntime.InferenceSession(tmp_path / "part.onnx")
    others = PARTS[name].inputs(batch=5, seed=7)
    feed = {given.name: tensor.numpy() for given, tensor in zip(session.get_inputs(), others, strict=True)}
    torch.testing.assert_close(
        torch.from_numpy(session.run(None, feed)[0]), module(*others).detach(), rtol=1e-4, atol=1e-5
    )
