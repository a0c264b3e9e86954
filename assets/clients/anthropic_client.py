"""The `anthropic` package for Python, as people use it, against `/v1/messages`."""
import anthropic
from harness import result_of, run


def client(told):
    # The package adds `/v1` itself. A key that is missing is still sent: it insists on one.
    base = told["base_url"].removesuffix("/v1")
    key = told["api_key"] or "none"
    return anthropic.Anthropic(base_url=base, auth_token=key, api_key=None, max_retries=0, timeout=100)


def asked(told):
    """The scenario's parameters under the names that the Messages API has for them."""
    given = told["params"]
    params = {"model": told["model"], "max_tokens": given.get("max_tokens", 64)}
    # The package has no names for these any more; servers of open models have.
    params["extra_body"] = {name: given[name] for name in ("temperature", "top_p", "seed") if name in given}
    if told["system"]:
        params["system"] = told["system"]
    if given.get("tools"):
        functions = [tool["function"] for tool in given["tools"]]
        params["tools"] = [{"name": function["name"], "description": function.get("description", ""),
                            "input_schema": function.get("parameters", {"type": "object"})} for function in functions]
    return params


def plain(message):
    texts = [block.text for block in message.content if block.type == "text"]
    outcome = {"id": message.id, "text": "".join(texts), "finish_reason": message.stop_reason, "usage": message.usage.model_dump()}
    calls = [{"name": block.name, "arguments": block.input} for block in message.content if block.type == "tool_use"]
    return outcome | ({"calls": calls} if calls else {})


def talk(told):
    return [{"role": "user", "content": told["given"]["prompt"]}]


def chat(told):
    return plain(client(told).messages.create(messages=talk(told), **asked(told)))


def stream(told):
    pieces = 0
    with client(told).messages.stream(messages=talk(told), **asked(told)) as events:
        for _ in events.text_stream:
            pieces += 1
        return plain(events.get_final_message()) | {"pieces": pieces}


def tools(told):
    """Asks, answers the calls, and asks for the answer."""
    said, calls = talk(told), []
    for _ in range(4):
        message = client(told).messages.create(messages=said, **asked(told))
        uses = [block for block in message.content if block.type == "tool_use"]
        if not uses:
            return plain(message) | {"calls": calls}
        calls += [{"name": use.name, "arguments": use.input} for use in uses]
        said.append({"role": "assistant", "content": [block.model_dump(exclude_none=True) for block in message.content]})
        said.append({"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": use.id, "content": result_of(told, use.name, use.input)} for use in uses]})
    return {"calls": calls, "text": None}


def multi_turn(told):
    said, texts = [], []
    for turn in told["given"]["turns"]:
        said.append({"role": "user", "content": turn})
        texts.append(plain(client(told).messages.create(messages=said, **asked(told)))["text"])
        said.append({"role": "assistant", "content": texts[-1]})
    return {"texts": texts}


def abort(told):
    """Closes the stream after some events."""
    seen = 0
    with client(told).messages.create(messages=talk(told), stream=True, **asked(told)) as events:
        for _ in events:
            seen += 1
            if seen == told["given"]["events"]:
                break
    return {"events": seen}


run(chat, stream, tools, multi_turn, abort)
