"""What all Python clients share: the task out of `<input>`, its outcome into `<output>`."""
import json
import sys


class Given(dict):
    """What the scenario says beside the task."""

    def __missing__(self, name):
        sys.exit(f"the task needs `{name}`: write it into the table below the step")


def run(*tasks):
    """Does the task that the input names. What it raises is what a program of this kind would meet."""
    with open(sys.argv[1]) as file:
        told = json.load(file)
    told["given"] = Given(told["given"])
    task = {task.__name__: task for task in tasks}[told["task"]]
    try:
        outcome = task(told)
    except Exception as error:
        outcome = {"error": described(error)}
    with open(sys.argv[2], "w") as file:
        json.dump(outcome, file, default=str)


def described(error):
    """Class and message; status, code, type and parameter where the library has them."""
    facts = {"class": type(error).__name__, "message": str(error)}
    for name, attribute in (("status", "status_code"), ("code", "code"), ("type", "type"), ("param", "param")):
        value = getattr(error, attribute, None)
        if value is not None:
            facts[name] = value
    return facts


def result_of(told, tool, arguments):
    """What the scenario says that a tool returns for these arguments."""
    for one in told["results"]:
        if one["tool"] == tool and all(arguments.get(name) == value for name, value in (one["when"] or {}).items()):
            return one["content"]
    return json.dumps({"error": f"{tool} has no result for {json.dumps(arguments)}"})
