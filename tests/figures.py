"""Draw what the two clients did on one time axis, from the moments at which their lines came.

The blocking client's tasks come out as stairs, the tutorial's Figure 1; the async one's lie side by
side, its Figure 3 with a row for each task.
"""

import math
import os
import re

from support import ROOT

MARKS = "█#"  # the second where the first cannot be shown
WIDEST = 120  # columns; a wider figure is no easier to read
TICK_COLUMNS = 11  # the fewest from one tick of the axis to the next, so that the labels stay apart


def predict(poem, *options):
    """Return the seconds that a slow poetry server with these options sends a poem, pauses alone."""
    given = dict(zip(options[::2], options[1::2]))
    size = os.path.getsize(os.path.join(ROOT, poem))
    return math.ceil(size / int(given.get("--num-bytes", 10))) * float(given.get("--delay", 0.1))


def parse_duration(text):
    """Return the seconds in a printed timedelta like 0:00:10.126361 or 1 day, 2:00:00."""
    days, hours, minutes, seconds = re.fullmatch(r"(?:(\d+) days?, )?(\d+):(\d+):([\d.]+)", text).groups()
    return (int(days or 0) * 24 + int(hours)) * 3600 + int(minutes) * 60 + float(seconds)


def format_seconds(seconds):
    """Return seconds as 23.1 s, 0.254 s or 2310 s: three digits that count."""
    return f"{seconds:#.3g} s" if seconds < 99.95 else f"{seconds:.0f} s"


class Run:
    """What the lines of one client tell, in seconds from its start.

    total is how long it took; stretches is {task number: [(begin, end), ...]} with the times in which
    that task had something to show; times is {task number: seconds} for the poems that came.
    """

    def __init__(self, lines, moments):
        got = re.fullmatch("Got [0-9]+ poems in (.+)", lines[-1]) if lines else None
        end = moments[-1] if moments else 0
        # The last line tells the start too; a client that was killed began at its first line, as far as we know.
        self.total = parse_duration(got[1]) if got else end - min(moments, default=end)
        self.stretches, self.times, self.begun = {}, {}, {}
        for line, moment in zip(lines, moments):
            task = re.match("Task ([0-9]+)(.*)", line)
            if task:
                self.add(int(task[1]), task[2], max(0, moment - end + self.total))

    def add(self, task_num, text, moment):
        """Take in what a line says of a task; text is the line after the task's number."""
        stretches = self.stretches.setdefault(task_num, [])
        got = re.match(": got .* from [^ ]+(?: in (.+))?", text)
        if text.startswith(": get poetry from"):  # the blocking client: this task alone, from here on
            self.begun[task_num] = moment
        elif got:
            stretches.append((self.begun.get(task_num, moment), moment))
            if got[1]:
                self.times[task_num] = parse_duration(got[1])
        elif text == " finished":
            self.times[task_num] = moment


def draw(clients, width, encoding):
    """Return the lines of the figure of {client's name: (its lines, their moments)}, two clients."""
    try:
        mark = MARKS[0]
        mark.encode(encoding or "ascii")
    except UnicodeEncodeError:
        mark = MARKS[1]
    runs = {name: Run(*printed) for name, printed in clients.items()}
    tasks = sorted(set().union(*(run.stretches for run in runs.values())))
    labels = [f"  Task {task_num:<{len(str(tasks[-1]))}} " for task_num in tasks]
    margin = max(map(len, labels), default=0)
    columns = max(TICK_COLUMNS, min(width, WIDEST) - margin - 12)  # 12: after a row stands its time
    scale = columns / (max(run.total for run in runs.values()) or 1)  # columns a second
    lines = [f"What you have seen, on one time axis ({mark}: that task was getting poetry)"]
    for name, run in runs.items():
        lines += ["", f"{name}: {format_seconds(run.total)}"]
        lines += [label + draw_row(run, task_num, scale, columns, mark) for label, task_num in zip(labels, tasks)]
    lines += [" " * margin + line for line in draw_axis(scale, columns)]
    return [*lines, "", compare(tasks, *runs.values())]


def draw_row(run, task_num, scale, columns, mark):
    """Return a task's row: a mark in each slice of time in which it had something to show, and its time."""
    row = [" "] * columns
    for begin, end in run.stretches.get(task_num, ()):
        first = min(int(begin * scale), columns - 1)
        last = min(max(int(end * scale), first + 1), columns)
        row[first:last] = mark * (last - first)
    note = format_seconds(run.times[task_num]) if task_num in run.times else "no poem"
    return f"{''.join(row).rstrip()} {note}"


def draw_axis(scale, columns):
    """Return the axis' two lines: ticks at round numbers of seconds, and what they stand for."""
    least = TICK_COLUMNS / scale
    power = 10 ** math.floor(math.log10(least))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least)
    ticks, labels = ["-"] * columns, ""
    for number in range(columns):
        column = int(number * step * scale)
        if column >= columns:
            break
        ticks[column] = "+"
        labels = f"{labels.ljust(column)}{number * step:g} s"
    return ["".join(ticks), labels]


def compare(tasks, blocking, other):
    """Return the line that says how many times as fast the other was, and how fast it could be at most."""
    if not tasks or set(blocking.times) != set(tasks) or set(other.times) != set(tasks):
        return "Not every poem came, so there is nothing to compare."
    everything, slowest = sum(blocking.times.values()), max(blocking.times.values())
    return (f"{blocking.total / other.total:.1f} times as fast. The limit: sum {format_seconds(everything)} / "
            f"slowest {format_seconds(slowest)} = {everything / slowest:.1f}.")
