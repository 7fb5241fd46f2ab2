"""Draw what the two clients did on one time axis, from the moments at which their lines came.

The blocking client's tasks come out one after the other, as in the tutorial's Figure 1; those of
the async one side by side, as in its Figure 3, but with a row for each task.
"""

import math
import re

from tests.support import parse_duration

MARK, PLAIN_MARK = "█", "#"  # the second where the first cannot be shown
WIDEST = 120  # columns; a wider figure is no easier to read
TICK_COLUMNS = 11  # the fewest from one tick of the axis to the next, so that the labels stay apart


def format_seconds(seconds):
    """Return seconds as 23.1 s, 0.254 s or 2310 s: three digits that count."""
    return f"{seconds:#.3g} s" if seconds < 99.95 else f"{seconds:.0f} s"


class Run:
    """What a client did, as its lines and the moments at which they came tell it.

    total is how long it took, in seconds; bars is {task number: (begin, end)} for each poem that
    came, in seconds from the client's start; computed and waited are its process's seconds.
    """

    def __init__(self, client):
        got = re.fullmatch("Got [0-9]+ poems in (.+)", client.stdout[-1]) if client.stdout else None
        self.total = parse_duration(got[1]) if got else 0
        self.computed = client.usage.ru_utime + client.usage.ru_stime
        self.waited = max(0, client.elapsed - self.computed)
        self.bars = {}
        for line, moment in zip(client.stdout, client.moments):
            poem = re.fullmatch("Task ([0-9]+)(?: finished|: got .* in (.+))", line)
            if poem:
                end = max(0, moment - client.moments[-1] + self.total)
                begin = max(0, end - parse_duration(poem[2])) if poem[2] else 0
                self.bars[int(poem[1])] = begin, end


def draw(clients, num_tasks, width, encoding):
    """Return the lines of the figure of {client's name: its Program, which has ended}."""
    mark = MARK if MARK.encode(encoding or "ascii", "ignore") else PLAIN_MARK
    runs = {name: Run(client) for name, client in clients.items()}
    labels = {task_num: f"  Task {task_num} " for task_num in range(1, num_tasks + 1)}
    margin = len(labels[num_tasks])
    columns = max(TICK_COLUMNS, min(width, WIDEST) - margin - 10)  # 10: the seconds after a bar
    scale = columns / (max(run.total for run in runs.values()) or 1)  # columns a second
    lines = [f"What you have seen, on one time axis ({mark}: from a task's start to its end)"]
    for name, run in runs.items():
        lines += ["", f"{name}: {format_seconds(run.total)}"]
        for task_num, label in labels.items():
            lines.append(label.ljust(margin) + draw_bar(run.bars.get(task_num), scale, mark))
        lines.append(f"  computed for {run.computed:.2f} s, "
                     f"waited for {format_seconds(run.waited)}")
    lines += [" " * margin + line for line in draw_axis(scale, columns)]
    return [*lines, "", compare(num_tasks, *runs.values())]


def draw_bar(bar, scale, mark):
    """Return the bar of a (begin, end) in seconds, and its length in words."""
    if not bar:
        return "no poem"
    begin, end = bar
    num_marks = max(1, round(end * scale) - round(begin * scale))
    return f"{' ' * round(begin * scale)}{mark * num_marks} {format_seconds(end - begin)}"


def draw_axis(scale, columns):
    """Return the axis' two lines: ticks at round numbers of seconds, and what they stand for."""
    least = TICK_COLUMNS / scale
    power = 10 ** math.floor(math.log10(least))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least)
    ticks, labels = ["-"] * columns, ""
    for number in range(math.ceil(columns / step / scale)):
        column = int(number * step * scale)
        ticks[column] = "+"
        labels = f"{labels.ljust(column)}{number * step:g} s"
    return ["".join(ticks), labels]


def compare(num_tasks, blocking, other):
    """Return the line that says how many times as fast the other was, and could be at most."""
    if not len(blocking.bars) == len(other.bars) == num_tasks:
        return "Not every poem came, so there is nothing to compare."
    times = [end - begin for begin, end in blocking.bars.values()]
    return (f"{blocking.total / other.total:.1f} times as fast. At best: "
            f"sum {format_seconds(sum(times))} / slowest {format_seconds(max(times))} "
            f"= {sum(times) / max(times):.1f}.")
