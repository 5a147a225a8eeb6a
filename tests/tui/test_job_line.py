"""The job line while a training runs: loss and AUC with their courses, and nothing of one that the player began by itself."""

import pytest

from player.stations.snapshot import JobView


@pytest.mark.slow
async def test_loss_and_auc_of_a_training_are_drawn_as_curves(running, player):
    async with running(player) as stage:
        for epoch, (loss, auc) in enumerate(((0.9, 0.61), (0.6, 0.66), (0.5, 0.71)), start=1):
            job = JobView("retrain", f"epoch {epoch} of 4", epoch, 4, 12.0, metric=auc, loss=loss)
            player.change(job=job)
            await stage.settle()
        assert "loss 0.500 █▃▁" in stage.text
        assert "AUC 0.710 ▁▅█" in stage.text
        player.change(job=JobView("retrain", "Blending", 1, 4, 2.0))
        await stage.settle()
        assert "loss" not in stage.text


@pytest.mark.slow
async def test_a_training_that_the_player_began_is_quiet_until_it_has_ended(running, player):
    async with running(player) as stage:
        player.change(job=JobView("retrain", "epoch 1 of 4", 1, 4, 12.0, metric=0.6, loss=0.7, quiet=True))
        await stage.settle()
        assert "epoch 1" not in stage.text
        assert "esc stop" not in stage.text
        ended = JobView("retrain", "", 0, 0, None, finished=True, summary="Trained by itself: not worse.")
        player.change(job=ended)
        await stage.settle()
        assert "Trained by itself: not worse." in stage.text
