"""The `openai` package for Python, as people use it."""
import json

import openai
from harness import result_of, run
from pydantic import BaseModel


def client(told):
    # A key that is missing is still sent: the package insists on one.
    given = told["given"]
    return openai.OpenAI(
        base_url=told["base_url"], api_key=told["api_key"] or "none",
        max_retries=given.get("retries", 0), timeout=given.get("timeout", 100))


def messages(told, prompt=None):
    system = [{"role": "system", "content": told["system"]}] if told["system"] else []
    return system + [{"role": "user", "content": prompt or told["given"]["prompt"]}]


def plain(completion):
    choice = completion.choices[0]
    outcome = {"id": completion.id, "text": choice.message.content, "finish_reason": choice.finish_reason}
    outcome["usage"] = completion.usage and completion.usage.model_dump()
    if choice.message.tool_calls:
        outcome["calls"] = [{"name": call.function.name, "arguments": json.loads(call.function.arguments)} for call in choice.message.tool_calls]
    return outcome


def models(told):
    return {"models": [model.id for model in client(told).models.list()]}


def retrieve(told):
    return {"id": client(told).models.retrieve(told["model"]).id}


def chat(told):
    return plain(client(told).chat.completions.create(model=told["model"], messages=messages(told), **told["params"]))


def stream(told):
    text, pieces, finish, usage = "", 0, None, None
    chunks = client(told).chat.completions.create(
        model=told["model"], messages=messages(told), stream=True, stream_options={"include_usage": True}, **told["params"])
    for chunk in chunks:
        for choice in chunk.choices:
            text += choice.delta.content or ""
            pieces += bool(choice.delta.content)
            finish = choice.finish_reason or finish
        usage = chunk.usage or usage
    return {"text": text, "pieces": pieces, "finish_reason": finish, "usage": usage and usage.model_dump()}


def stream_helper(told):
    with client(told).chat.completions.stream(model=told["model"], messages=messages(told), **told["params"]) as events:
        kinds = sorted({event.type for event in events})
        return plain(events.get_final_completion()) | {"events": kinds}


def tools(told):
    """Asks, answers the calls, and asks for the answer."""
    talk, calls = messages(told), []
    for _ in range(4):
        completion = client(told).chat.completions.create(model=told["model"], messages=talk, **told["params"])
        message = completion.choices[0].message
        if not message.tool_calls:
            return plain(completion) | {"calls": calls}
        talk.append(message.model_dump(exclude_none=True))
        for call in message.tool_calls:
            arguments = json.loads(call.function.arguments)
            calls.append({"name": call.function.name, "arguments": arguments})
            talk.append({"role": "tool", "tool_call_id": call.id, "content": result_of(told, call.function.name, arguments)})
    return {"calls": calls, "text": None}


def multi_turn(told):
    talk, texts = messages(told, told["given"]["turns"][0]), []
    for following in told["given"]["turns"][1:] + [None]:
        completion = client(told).chat.completions.create(model=told["model"], messages=talk, **told["params"])
        texts.append(completion.choices[0].message.content)
        talk += [{"role": "assistant", "content": texts[-1]}, {"role": "user", "content": following}]
    return {"texts": texts}


def parse(told):
    class City(BaseModel):
        name: str
        capital: bool

    completion = client(told).chat.completions.parse(
        model=told["model"], messages=messages(told), response_format=City, **told["params"])
    return {"parsed": completion.choices[0].message.parsed.model_dump(), "finish_reason": completion.choices[0].finish_reason}


def abort(told):
    """Closes the stream after some chunks."""
    seen = 0
    with client(told).chat.completions.create(
            model=told["model"], messages=messages(told), stream=True, **told["params"]) as chunks:
        for _ in chunks:
            seen += 1
            if seen == told["given"]["events"]:
                break
    return {"events": seen}


def embeddings(told):
    texts = told["given"]["texts"]
    found = client(told).embeddings.create(model=told["model"], input=texts)
    return {"lengths": [len(one.embedding) for one in found.data], "indexes": [one.index for one in found.data]}


run(models, retrieve, chat, stream, stream_helper, tools, multi_turn, parse, abort, embeddings)
