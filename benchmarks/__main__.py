"""`python -m benchmarks` lists the measurements; `python -m benchmarks NAME …` runs them, each module's `main()`."""

import importlib
import pkgutil
import sys

import benchmarks


def _names() -> list[str]:
    return sorted(one.name for one in pkgutil.iter_modules(benchmarks.__path__) if not one.name.startswith("_"))


def main(wanted: list[str]) -> int:
    known = _names()
    unknown = [name for name in wanted if name not in known and name != "all"]
    if not wanted or unknown:
        print(f"Usage: python -m benchmarks NAME… | all\nNames: {', '.join(known)}")
        return 2 if unknown else 0
    for name in known if "all" in wanted else wanted:
        print(f"# {name}")
        importlib.import_module(f"benchmarks.{name}").main()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
