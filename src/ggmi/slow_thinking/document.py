"""The study as a page of documentation: what its quantities are, every statement, what the tables hold."""

from __future__ import annotations

from ggmi.exact.document import items, written_prose
from ggmi.slow_thinking.catalogue import STATEMENTS
from ggmi.slow_thinking.regimes import REGIMES

HEAD = r"""# Slow thinking: theory, exact search, published points

Gan, Liao & Liu, [arXiv 2501.15602](https://arxiv.org/abs/2501.15602), checked: its statements in finite worlds,
its accounting of search exactly, its published points fitted again. The paper's own text could not be had; *as
reported* marks what is known from others' accounts, *ours* and *charitable* what is not the paper's. This page
is printed by `python -m ggmi.slow_thinking.document`.

```sh
snakemake --cores all results/slow_thinking.html
python src/ggmi/slow_thinking/recheck.py results/slow_thinking/theory/certificates/any/Theorem-3.3.json
```

## What the words mean here

- **Chain**: thoughts $t_1 \to t_2 \to t_3$ on a small alphabet, each depending on the one before, and a step
  $r_l$ that depends on its thought and on whether the step before was right. The thoughts are the problem.
- **Right**: a step has a value, a thought has a value, and a step is right if the two are equal; this is
  $\tau$-correctness with whole numbers for values. Where every thought has a value of its own, a wrong step is
  one that does not name its thought, $e_l$ in Fano's inequality.
- **$p_l$**: the probability that step $l$ is right given that all before it are; where a statement means the
  probability whatever the steps before are, it says so.
- **Width $k$**: candidates a layer, drawn independently given the problem and the steps chosen so far.
  **Step-wise search** selects one at every layer; **best-of-N** draws $N$ whole answers and selects once; the
  **full tree** keeps all $k$ candidates of every node, $k^L$ paths, and selects once.
- **Reliability $\varepsilon$**: the probability that a selection takes a right candidate where there is one. It
  depends on $k$; with one candidate there is nothing to select, so that rows of width 1 with $\varepsilon = 1$
  are plain sampling.
- **Samples**: whole answers, for step-wise search their worth, $k$, since it generates $kL$ steps; for the full
  tree its $k^L$ paths. **Step calls** are steps generated: $kL$, $NL$ and $k + k^2 + \dots + k^L$.

## Search, exactly

Where all problems are alike and $p_l = \min(\lambda e^{-l}, 1)$ (Proposition 4.3, as reported):

- step-wise search: $\prod_l \varepsilon [1 - (1 - p_l)^k]$; best-of-N: $\varepsilon [1 - (1 - \prod_l p_l)^N]$;
  full tree: $\varepsilon u_1$ with $u_l = 1 - (1 - p_l u_{l+1})^k$ from the last layer up.
- Choosing among $k$ beats one candidate if and only if $\varepsilon > p / (1 - (1 - p)^k)$, which is what a
  choice at random among them attains. $1/k$ is its limit for $p \to 0$ and is never enough by itself.
- At equal samples, $N = k$, step-wise search is better if and only if $\varepsilon > \{[1 - (1 - \prod_l
  p_l)^k] / \prod_l [1 - (1 - p_l)^k]\}^{1/(L-1)}$.
- The $N$ with which best-of-N matches step-wise search tends to $\varepsilon^{L-1} k^L$ for $p \to 0$, that for
  the full tree to $k^L$; the tree's paths share their beginnings, so that it needs fewer steps.

## Files

| file in `results/slow_thinking/` | what it holds |
|---|---|
| `claims.csv` | every claim, with test, estimate, interval, p-value after Holm over all of them, power, verdict |
| `theory/verdicts.csv` | every statement in every regime, columns as in the theory study's table |
| `theory/certificates/<regime>/*.json`, `worst/*.json` | certified chains: fewest states, largest violation |
| `theory/exact.csv` | accuracy by method, $L$, $\lambda$, width, $\varepsilon$; samples and step calls |
| `theory/crossover.csv` | reliability at which step-wise search and best-of-N are equal, by $\lambda$, $L$, width |
| `theory/matching.csv` | the $N$ that matches each search, beside the reported orders and the costs |
| `published_fits.csv` | six forms fitted to information per token in seven panels |
| `published_totals.csv` | whether total information depends on length; permutations of totals over questions |
| `real/real_searches.csv`, `real_matched.csv` | searches with real models: accuracy, cost, price; at equal cost |
| `published_width.csv`, `published_exponents.csv` | accuracy by width, which steps are told apart; exponents of $k$ |

Only counts are published for widths, so a paired test cannot be had: `p_paired_least` and `p_paired_most` are
the ends of what it would say over all pairings of questions that the counts allow, and a step is *told apart*
if the worst of them says so. Of accuracy by length
(`workflow/data/slow_thinking/math500_accuracy_by_length.csv`) the numbers of questions in the bins are unknown,
so no interval can be given; it rises again in the last bin at every level.
"""


OWN_MODEL = r"""
## With your own model

The same searches run on any model that the backends reach: in this process (`local`), a server started for the job
(`vllm`), an OpenAI-compatible endpoint (`openai`). A step is a line. One policy writes the steps; who scores them is a
reward model (`reward`: a sequence classifier with one output, whose logistic function is the score), a model that is
asked whether all steps are right (`local`, `openai`, `vllm`; the score is the share of yes), or the policy itself
(`self`). Problems come from a file, a folder, a pattern or the hub, with their right answers as numbers (`gsm8k`), in
LaTeX (`math`), as `true_false` or any text (`exact`).

```yaml
slow_thinking:
  real:
    mine:
      title: "My model on GSM8K"
      problems: {source: gsm8k.jsonl, answer: gsm8k, most: 200}
      policy:
        kind: openai
        base_url: http://127.0.0.1:8000/v1
        model: my-model
        key_env: null
        prices: {input: 0.2, output: 0.6}
        budget: {max_cost: 20}
      verifier: {by: {kind: self}, draws: 4}
      methods: [self_consistency, best_of_n, vote, beam, tree]
      widths: [1, 2, 4, 8]
      whole_answers: [1, 2, 4, 8, 16, 32]
      steps: 16
      simulations: 16
```

```sh
ggmi check mine.yaml
ggmi cost mine.yaml
snakemake --cores all results/slow_thinking.html --configfile mine.yaml
```

- What a search asks depends on what it is answered, so `ggmi cost` tells the most there can be: $N L$ steps and $N$
  scores a problem for whole answers, $k L$ of each for beams, $k (s + 1) + L$ steps and $s$ scores for trees of $s$
  simulations, each step as long as `max_tokens`. What the stores hold is found by searching with them alone; a search
  that they hold whole costs nothing more.
- Every raw step and score is kept in a store, also of a run that was stopped, killed or out of budget; the next run
  goes on from there. The $n$-th step drawn after a text is the $n$-th draw of one request, so widths and methods
  share draws: a wider search asks for the rest only, and accuracies at different widths are not independent. They are
  compared paired by problem.
- An answer is what follows "the answer is", `####` or `\boxed`. A step cut at `max_tokens`, an empty one, an answer
  that cannot be read, a text without a score (a reply that is neither yes nor no, a reward that is not a number), a
  request without a response: each is counted in `real_searches.csv` and told on the page. A text without a score
  counts below every other; a response without an answer has no vote and is not chosen.
- `vote` weighs answers by scores moved to 0 … 1 a problem, so that the lowest has no weight, as the published ORM
  vote is reported to; `tree` draws `widths` steps at a node, drops repeats, takes as prior the normalised mean
  probability of their tokens where the endpoint tells it (else all are alike), and walks by PUCT.
- Some servers refuse `seed` (`seeded: false`) or texts that end a response (`stop_at_line: false`: steps are cut here
  and the rest is paid in vain).
- `presets/slow_thinking.yaml` is the published set-up as far as it is known; what is not is named in it. Every key with
  its default is in `workflow/config.schema.json`.
"""


def study_markdown() -> str:
    """The page ``docs/slow_thinking.md``.

    Returns
    -------
    str
        Markdown with formulas between dollar signs.
    """
    lines = [HEAD.rstrip(), OWN_MODEL.rstrip(), "", "## Regimes", ""]
    lines += [f"- `{regime.key}`: {written_prose(regime.text)}" for regime in REGIMES.values()]
    lines += ["", "## Statements", ""]
    for statement in STATEMENTS.values():
        lines += [f"- {item}" if i == 0 else f"  - {item}" for i, item in enumerate(items(statement))]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    import sys

    sys.stdout.write(study_markdown())
