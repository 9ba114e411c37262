"""Custom training steps, written once with `keras.value_and_grad`, learn on every backend."""

import numpy as np
from examples import distillation, gan, vae


def nearest(images: np.ndarray, real: np.ndarray) -> float:
    """Mean distance of images to the nearest real one."""
    distances = np.sqrt(((images[:, None] - real[None]) ** 2).sum(-1))
    return float(distances.min(1).mean())


def test_a_gan_draws_digits():
    model, history = gan.main(epochs=25)
    steps = 25 * -(-len(gan.load_images()) // 64)
    for optimizer in (model.generator_optimizer, model.discriminator_optimizer):
        assert int(optimizer.iterations.numpy()) == steps
        assert any(np.abs(v.numpy()).sum() > 0 for v in optimizer.variables[2:])
    noise = np.random.default_rng(0).normal(size=(128, gan.NOISE)).astype("float32")
    real = gan.load_images()
    generated, before = (
        g.predict(noise, verbose=0) for g in (model.generator, gan.make_generator())
    )  # fmt: skip
    assert nearest(generated, real) < 0.75 * nearest(before, real)
    assert np.abs(generated.mean(0) - real.mean(0)).mean() < 0.12
    assert generated.std(0).mean() > 0.05  # no mode collapse
    assert history.keys() == {"d_loss", "g_loss"}
    # A balance: the discriminator neither accepts all images nor rejects all generated ones.
    assert 0.35 < history["d_loss"][-1] < 0.75


def test_a_vae_reconstructs_images_from_a_small_code():
    model, history = vae.main(epochs=15)
    losses = history["loss"]
    assert losses[-1] < 0.8 * losses[0]
    np.testing.assert_allclose(
        np.add(history["reconstruction"], history["divergence"]), losses, rtol=1e-4
    )
    assert history["divergence"][-1] > 1  # the code carries information
    _, images = vae.load_images()
    error = np.abs(model.predict(images, verbose=0) - images).mean()
    assert error < 0.75 * np.abs(images - images.mean(0)).mean()


def test_a_student_learns_from_its_teacher():
    model, accuracies = distillation.main()
    assert accuracies["teacher"] > 0.85
    assert accuracies["student"] > 0.75
    history = model.history.history
    assert history.keys() == {"loss", "distance", "accuracy"}
    assert all(history[name][-1] < 0.75 * history[name][0] for name in ("loss", "distance"))
    agree = [
        np.argmax(net.predict(distillation.load_data()[1][0], verbose=0), -1)
        for net in (model.student, model.teacher)
    ]
    assert (agree[0] == agree[1]).mean() > 0.75
