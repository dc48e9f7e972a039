"""Ranking by transformers' own generate, which beam searches are compared with."""

import numpy as np

EOS = 1


def hugging_face(model, ids, mask, tokens, beams, length_penalty=1.0):
    """Rank with transformers' generate and a dictionary of prefixes; items that were not really reached are -1."""
    follows, item_of = {}, {}
    for item, row in enumerate(tokens.tolist()):
        path = [*[token for token in row if token >= 0], EOS]
        item_of[tuple(path)] = item
        for i, token in enumerate(path):
            follows.setdefault(tuple(path[:i]), set()).add(token)
    output = model.generate(
        input_ids=ids,
        attention_mask=mask,
        num_beams=beams,
        num_return_sequences=beams,
        early_stopping=True,
        length_penalty=length_penalty,
        do_sample=False,
        max_new_tokens=tokens.shape[1] + 1,
        return_dict_in_generate=True,
        output_scores=True,
        prefix_allowed_tokens_fn=lambda query, prefix: sorted(follows.get(tuple(prefix[1:].tolist()), {0})),
    )
    items = []
    for row in output.sequences[:, 1:].tolist():
        path = tuple(row[: row.index(EOS) + 1]) if EOS in row else ()
        items.append(item_of.get(path, -1))
    shape = (len(ids), beams)
    return np.array(items).reshape(shape), output.sequences_scores.view(shape).numpy()
