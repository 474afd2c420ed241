"""Files that should be refused in a moment, and how long and how much memory each of them takes.

Run as a program it reads every file of a folder and prints one JSON line for each: name, seconds, message.
"""

import json
import resource
import sys
import time
from pathlib import Path

INPUT = "input: {channels: 3, size: 32}\n"


def _aliases(leaf: str, *, levels: int = 15, width: int = 10) -> str:
    """An anchor ``x`` for a list of lists of lists of ``leaf``, the parts of each level aliases of one."""
    lists = [f"  - &x0 [{', '.join([leaf] * width)}]"]
    lists += [f"  - &x{i} [{', '.join([f'*x{i - 1}'] * width)}]" for i in range(1, levels)]
    return "published:\n" + "\n".join(lists) + f"\n  - &x [*x{levels - 1}]\n"


def _blocks(**lists: str) -> str:
    return "blocks:\n" + "".join(f"  {name}: {text}\n" for name, text in lists.items())


BOMB = _aliases("1")
TREE = {f"b{i}": f"{{args: {{n: 0}}, layers: [b{i + 1}: {{n: 2*$n}}, b{i + 1}: {{n: 2*$n+1}}]}}" for i in range(45)}
CHAIN = {f"b{i}": f"{{layers: [b{i + 1}]}}" for i in range(5000)}

TEXTS: dict[str, str] = {
    "bomb in layers": f"{INPUT}{BOMB}layers: *x\n",
    "bomb as a layer": f"{INPUT}{BOMB}layers: [*x]\n",
    "bomb of layers": INPUT
    + "layers:\n  - residual: &x0 [relu]\n"
    + "".join(f"  - residual: &x{i} [{', '.join([f'{{residual: *x{i - 1}}}'] * 10)}]\n" for i in range(1, 12)),
    "bomb in branches": f"{INPUT}{BOMB}layers: [parallel: *x]\n",
    "bomb as k": f"{INPUT}{BOMB}layers: [conv: {{c_out: 8, k: *x}}]\n",
    "bomb as a name": f"{INPUT}{BOMB}name: *x\nlayers: [relu]\n",
    "bomb as a layer's name": f"{INPUT}{BOMB}layers: [relu: {{name: *x}}]\n",
    "bomb as an argument": f"{INPUT}{BOMB}{_blocks(b='{args: {w: null}, layers: [relu]}')}layers: [b: {{w: *x}}]\n",
    "bomb as a default": f"{INPUT}{BOMB}{_blocks(b='{args: {w: *x}, layers: [relu]}')}layers: [b]\n",
    "bomb as a key": f"{INPUT}{BOMB}? *x\n: 1\n",
    "bomb as a type": f"{INPUT}{BOMB}layers: [{{type: *x, k: 3}}]\n",
    "bomb under unknown keys": f"{INPUT}{BOMB}a: *x\nb: {{c: *x}}\nlayers: [relu: {{d: *x}}]\n",
    "bomb that stays below the limit": f"{INPUT}{_aliases('1', levels=5)}layers: [*x, relu: {{name: *x}}]\nname: *x\n",
    "merge bomb": INPUT
    + f"layers:\n  - conv: &x {{{', '.join(f'k{i}: 1' for i in range(2000))}}}\n"
    + "  - conv: {<<: *x}\n" * 2000,
    "list that contains itself": f"{INPUT}layers: &x [relu, *x]\n",
    "body that contains itself": f"{INPUT}layers: [residual: &x [relu, {{residual: *x}}]]\n",
    "block that contains itself": f"{INPUT}{_blocks(b='{layers: [b]}')}layers: [b]\n",
    "block that contains itself through others": INPUT
    + _blocks(b="{layers: [c]}", c="{layers: [parallel: [[d]]]}", d="{layers: [residual: [b]]}")
    + "layers: [b]\n",
    "billion repeats": f"{INPUT}layers: [conv: {{c_out: 8, k: 3, repeat: 1000000000}}]\n",
    "billion repeats by argument": (
        f"{INPUT}{_blocks(b='{args: {n: 1}, layers: [relu: {repeat: $n}]}')}layers: [b: {{n: 1000000000}}]\n"
    ),
    "billion repeats, nested": INPUT
    + _blocks(b="{layers: [relu: {repeat: 1000}]}", c="{layers: [b: {repeat: 1000}]}")
    + "layers: [c: {repeat: 1000}]\n",
    "billion repeats of nothing": f"{INPUT}{_blocks(b='{layers: []}')}layers: [b: {{repeat: 1000000000}}]\n",
    "repeats beyond numbers": f"{INPUT}layers: [relu: {{repeat: {'9' * 100_000}}}]\n",
    "repeats by channels": (
        f"{INPUT}{_blocks(b='{layers: [relu: {repeat: $c_in}]}')}layers: [conv: {{c_out: 1000000000, k: 1}}, b]\n"
    ),
    "arguments that always differ": INPUT
    + _blocks(**TREE, b45="{args: {n: 0}, layers: []}")
    + "layers: [b0: {n: 1}]\n",
    "chain of blocks": f"{INPUT}{_blocks(**CHAIN, b5000='{layers: [relu]}')}layers: [b0]\n",
    "chain of blocks, the last first": INPUT
    + _blocks(**CHAIN, b5000="{layers: [relu]}")
    + f"layers: [{', '.join(reversed(CHAIN))}]\n",
    "nesting in flow style": f"layers: {'[' * 5000}{']' * 5000}\n",
    "nesting in flow mappings": f"layers: {'[{residual: ' * 5000}[]{'}]' * 5000}\n",
    "nesting in block style": "layers:\n" + "".join(f"{'  ' * i}- residual:\n" for i in range(1, 5000)),
    "nesting of dashes": f"layers:\n  {'- ' * 5000}a\n",
    "nesting that is left open": "[" * 1_000_000,
    "huge integer": f"{INPUT}layers: [conv: {{c_out: {'1' * 5000}, k: 3}}]\n",
    "huge hexadecimal integer": f"{INPUT}layers: [conv: {{c_out: 0x{'f' * 1_000_000}, k: 3}}]\n",
    "huge integer of another base": f"{INPUT}layers: [conv: {{c_out: 1{':59' * 300_000}, k: 3}}]\n",
    "huge arithmetic": INPUT
    + _blocks(b="{args: {n: 1000000000}, layers: [conv: {c_out: $n*$n*$n*$n*$n, k: 1}]}")
    + "layers: [b]\n",
    "powers": INPUT + _blocks(b="{args: {n: 9999999}, layers: [conv: {c_out: $n**$n, k: 1}]}") + "layers: [b]\n",
    "a long word": f"{INPUT}layers: [{'a' * 1_000_000}]\n",
    "a long key": f"{INPUT}? {'k' * 1_000_000}\n: 1\n",
    "a long name": f"{INPUT}layers: [relu: {{name: {'n' * 1_000_000}}}, rleu]\n",
    "many unknown keys": "".join(f"lyaers{i}: 1\n" for i in range(50_000)),
    "many unknown layers": f"{INPUT}layers:\n" + "".join(f"  - cnov{i}\n" for i in range(20_000)),
    "many missing names": f"{INPUT}layers:\n" + "".join(f"  - add: nmae{i}\n" for i in range(20_000)),
    "many faulty blocks": INPUT + _blocks(**{f"b{i}": "{lyaers: []}" for i in range(20_000)}) + "layers: [relu]\n",
    "growing without end": f"{INPUT}layers: [upsample: {{scale: 1000000, repeat: 100000}}]\n",
    "channels without end": f"{INPUT}layers: [concat: {{with: a, repeat: 100}}, relu]\n",
}  # fmt: skip
"""Texts that no network needs, each by what is wrong with it."""

FILES: dict[str, bytes] = {
    **{name: text.encode() for name, text in TEXTS.items()},
    "empty": b"",
    "comments": b"# nothing\n# here\n",
    "binary": bytes(range(256)) * 100,
    "zeros": bytes(1_000_000),
    "UTF-16": f"{INPUT}layers: [rleu]\n".encode("utf-16"),
    "latin-1": "name: Größe\n".encode("latin-1"),
    "a byte order mark": b"\xef\xbb\xbflayers: [rleu]\n",
    "NUL": b"x" * 5000 + b"\0",
    "control characters": b'name: "\\x1b[2J"\n',
}
"""Those texts, and what is no text at all."""


def write(folder: Path) -> None:
    """Write every file into ``folder``."""
    for name, data in FILES.items():
        (folder / f"{name}.yaml").write_bytes(data)


def measure(folder: Path) -> None:
    """Read every file of ``folder`` and print what came of it, and at last the memory that the worst of them took."""
    from sepcalc import SepcalcError, load

    for path in sorted(folder.iterdir()):
        begin = time.perf_counter()
        try:
            message = f"read: {load(path).name}"
        except SepcalcError as error:
            message = str(error)
        seconds = time.perf_counter() - begin
        sys.stdout.write(json.dumps([path.stem, seconds, message.replace(f"{path}:", "")]) + "\n")
    sys.stdout.write(json.dumps(["", _peak_megabytes(), ""]) + "\n")


def _peak_megabytes() -> float:
    """The most memory that this program has taken.

    Where the system says so of the program alone: what ``getrusage`` says may be its parent's, from before the program
    was started.
    """
    status = Path("/proc/self/status")
    if status.exists():
        (peak,) = [line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM:")]
        return int(peak) / 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


if __name__ == "__main__":
    measure(Path(sys.argv[1]))
