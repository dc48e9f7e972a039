"""Fine-tuning through the sentence-transformers trainer, so that its result survives a kill and says nothing aloud.

Every other method trains in `benchmark.learning.training`. This one stays with the library's trainer, because it is
the baseline that users of sentence-transformers get: its collator reads texts, its loss gathers the documents of all
devices as negatives (so that, unlike there, all parts of a batch must be of one size), and the measured rows are its.

All examples of the training are drawn beforehand and read in order, so a batch is a function of seed and step, and
the same examples make a step on one device and on several. Checkpoints are taken right after a record of the learning
curve, where the trainer's running sums are empty: a resumed training has the same curve and the same weights.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sentence_transformers import SentenceTransformerTrainer, SentenceTransformerTrainingArguments
from sentence_transformers.base.sampler import DefaultBatchSampler
from torch.utils.data import SequentialSampler
from transformers import PrinterCallback, TrainerCallback

from benchmark.config import TrainingConfig
from benchmark.errors import BenchmarkError, require
from benchmark.files import remove, write_text
from benchmark.learning.precision import mixed_precision
from benchmark.learning.processes import processes
from benchmark.methods.dual_encoder.config import DualEncoderConfig
from benchmark.methods.dual_encoder.judged import Judged
from benchmark.methods.dual_encoder.loss import InBatchLoss
from benchmark.methods.dual_encoder.negatives import draw_examples
from benchmark.sealing import SEAL, damage, note_damage, seal
from benchmark.types.arrays import Int64
from benchmark.types.method import Context

SCHEDULES = {
    "linear": "linear", "cosine": "cosine", "inverse-sqrt": "inverse_sqrt", "constant": "constant_with_warmup"
}  # fmt: skip


def fine_tune(
    model: Any, judged: Judged, negatives: Int64, config: DualEncoderConfig, context: Context,
    *, name: str = "fine-tune",
) -> None:  # fmt: skip
    """Train the SentenceTransformer in place; the learning curve goes to work/NAME.log.jsonl.

    `negatives` [n_queries, ranks] are what hard negatives are drawn from. Raises BenchmarkError when the loss is not
    finite and ConfigError when the batch cannot be cut as asked.
    """
    settings = config.training.with_steps(len(judged.positives))
    folder = Path(context.work) / name
    examples = draw_examples(
        judged, negatives, settings.steps * settings.batch_size, config.hard_negatives, context.seed
    )
    keeper = _Keeper(folder, settings, context, name)
    trainer = _QuietTrainer(
        model=model,
        args=_arguments(folder, settings, context),
        train_dataset=_dataset(judged, examples, config),
        loss=InBatchLoss(model, judged, temperature=config.temperature, normalize=config.encoder.normalize),
        callbacks=[keeper],
    )
    trainer.remove_callback(PrinterCallback)
    try:
        trainer.train(resume_from_checkpoint=keeper.checkpoint())
    finally:
        keeper.curve.finish()
    trainer.accelerator.unwrap_model(trainer.model_wrapped, keep_fp32_wrapper=False)  # no autocast from here on
    if trainer.is_world_process_zero():
        records = [record for record in trainer.state.log_history if "loss" in record]
        lines = [json.dumps({"stage": name, "step": r["step"], "loss": r["loss"]}) + "\n" for r in records]
        write_text(Path(context.work) / f"{name}.log.jsonl", "".join(lines))
    model.eval()


def _dataset(judged: Judged, examples: Int64, config: DualEncoderConfig) -> Any:
    """Return the examples as rows of texts that are looked up when a batch is read."""
    from datasets import Dataset

    def texts(batch: dict[str, list[int]]) -> dict[str, list[Any]]:
        rows = examples[batch["example"]]
        columns: dict[str, list[Any]] = {"query": [config.query_prefix + judged.queries[row] for row in rows[:, 0]]}
        for column in range(1, rows.shape[1]):
            shown = [document if document >= 0 else row[1] for document, row in zip(rows[:, column], rows, strict=True)]
            columns[f"document{column}"] = [config.document_prefix + judged.documents[row] for row in shown]
        return {**columns, "label": rows.tolist()}

    return Dataset.from_dict({"example": range(len(examples))}).with_transform(texts)


def _arguments(folder: Path, settings: TrainingConfig, context: Context) -> SentenceTransformerTrainingArguments:
    on_gpu = context.device.startswith("cuda")
    parts = processes() * settings.accumulation
    require(
        settings.batch_size % parts == 0, "training.batch_size",
        f"{settings.batch_size} cannot be cut into {parts} equal parts (processes times accumulation)",
    )  # fmt: skip
    require(on_gpu or settings.precision != "fp16", "training.precision", "fp16 needs a GPU; use bf16 or no")
    precision = mixed_precision(settings.precision, context)
    arguments = SentenceTransformerTrainingArguments(
        output_dir=str(folder),
        max_steps=settings.steps,
        per_device_train_batch_size=settings.batch_size // parts,
        gradient_accumulation_steps=settings.accumulation,
        learning_rate=settings.learning_rate,
        lr_scheduler_type=SCHEDULES[settings.schedule],
        warmup_steps=int(settings.steps * settings.warmup_ratio),
        weight_decay=settings.weight_decay,
        max_grad_norm=settings.clip_norm,
        bf16=precision == "bf16",
        fp16=precision == "fp16",
        use_cpu=not on_gpu,
        seed=context.seed,
        batch_sampler=_in_order,
        logging_steps=max(1, settings.steps // 100),
        logging_nan_inf_filter=False,
        save_strategy="no",  # _Keeper decides
        report_to="none",
        disable_tqdm=True,
        dataloader_pin_memory=on_gpu,
    )
    if arguments.n_gpu > 1:  # without a launcher one device trains: several would share each batch's negatives out
        arguments._n_gpu = 1
    return arguments


def _in_order(dataset: Any, batch_size: int, drop_last: bool, **_: Any) -> DefaultBatchSampler:
    return DefaultBatchSampler(SequentialSampler(dataset), batch_size=batch_size, drop_last=drop_last)


class _Keeper(TrainerCallback):  # type: ignore[misc]
    """Moves the progress bar, asks for checkpoints when they are due, and seals those that are whole."""

    def __init__(self, folder: Path, settings: TrainingConfig, context: Context, name: str) -> None:
        self.folder, self.settings, self.context, self.name = folder, settings, context, name
        self.saved = time.monotonic()
        self.bar: Iterator[int] = iter(())
        self.curve = context.curve(name)

    def checkpoint(self) -> str | None:
        """Return the folder of the last whole checkpoint."""
        for folder in sorted(self.folder.glob("checkpoint-*"), key=_step, reverse=True):
            if (folder / SEAL).is_file():
                if not (problem := damage(folder, of=self._stage(folder))):
                    return str(folder)
                note_damage(folder, problem)
            remove(folder)  # damaged, or its process was killed before it was whole
        return None

    def _stage(self, folder: Path) -> str:
        """Return what a checkpoint is of: the work folder has a stage's key for a name."""
        return f"{self.folder.parent.name}/{self.folder.name}/{folder.name}"

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        left = range(state.global_step, self.settings.steps)
        self.bar = iter(self.context.progress(left, self.name, total=len(left)))
        next(self.bar, None)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        from accelerate.utils import broadcast_object_list

        next(self.bar, None)
        last = state.global_step == self.settings.steps
        control.should_log |= last
        if control.should_log:
            due = [last or time.monotonic() - self.saved >= self.settings.checkpoint_seconds]
            control.should_save = broadcast_object_list(due)[0]  # all processes save, or none

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float], **_: Any) -> None:
        if not math.isfinite(logs.get("loss", 0.0)):
            raise BenchmarkError(
                f"{self.name}: the loss is not finite at step {state.global_step}; "
                "try a smaller learning rate or precision 'no'"
            )
        if "loss" in logs:
            self.curve.log({f"{self.name}/loss": logs["loss"]}, state.global_step)

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        from accelerate import PartialState

        PartialState().wait_for_everyone()  # each process has written its own random state
        if state.is_world_process_zero:
            newest = self.folder / f"checkpoint-{state.global_step}"
            seal(newest, of=self._stage(newest))
            for older in set(self.folder.glob("checkpoint-*")) - {newest}:
                remove(older)
        self.saved = time.monotonic()


class _QuietTrainer(SentenceTransformerTrainer):  # type: ignore[misc]
    """The trainer without its model card, which is not asked for and reads the training data again."""

    def add_model_card_callback(self, default_args_dict: dict[str, Any]) -> None:
        pass

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        self.model.save_pretrained(output_dir, create_model_card=False)


def _step(checkpoint: Path) -> int:
    number = checkpoint.name.rpartition("-")[2]
    return int(number) if number.isdecimal() else -1
