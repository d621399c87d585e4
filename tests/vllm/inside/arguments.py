"""What the pinned vLLM says to command lines of `vllm serve`, without starting it.

stdin: {"command_lines": [["MODEL", "--flag=…"], …], "environments": [{"VLLM_…": "1", …}, …]}. The last line of stdout:
"refusals", None or a message for each command line; "unknown_variables"; "telling", whether vLLM would send usage
statistics, for each environment; "tool_parsers" and "reasoning_parsers" by name.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from unittest import mock

from vllm import envs
from vllm.entrypoints.launchers.cli_args import make_arg_parser, validate_parsed_serve_args
from vllm.reasoning import ReasoningParserManager
from vllm.tool_parsers import ToolParserManager
from vllm.usage import usage_lib
from vllm.utils.argparse_utils import FlexibleArgumentParser


def refusal(parser: FlexibleArgumentParser, command_line: list[str]) -> str | None:
    # argparse takes unique beginnings of a flag too; those break with the next version.
    flags = [argument.partition("=")[0] for argument in command_line if argument.startswith("--")]
    if shortened := [flag for flag in flags if flag not in parser._option_string_actions]:
        return f"unknown: {' '.join(shortened)}"
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            validate_parsed_serve_args(parser.parse_args(command_line))
    except SystemExit:
        return said.getvalue().strip().splitlines()[-1]
    except (TypeError, ValueError) as error:
        return str(error)
    return None


def tells(environment: dict[str, str]) -> bool:
    usage_lib._USAGE_STATS_ENABLED = None
    with mock.patch.dict(os.environ, environment, clear=True):
        return bool(usage_lib.is_usage_stats_enabled())


def main() -> None:
    given = json.load(sys.stdin)
    variables = {name for environment in given["environments"] for name in environment if name.startswith("VLLM_")}
    parser = make_arg_parser(FlexibleArgumentParser(prog="vllm serve"))
    answer = {
        "refusals": [refusal(parser, command_line) for command_line in given["command_lines"]],
        "unknown_variables": sorted(variables - set(envs.environment_variables)),
        "telling": [tells(environment) for environment in given["environments"]],
        "tool_parsers": sorted(ToolParserManager.list_registered()),
        "reasoning_parsers": sorted(ReasoningParserManager.list_registered()),
    }
    sys.stdout.write("\n" + json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
