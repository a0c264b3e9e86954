// The `openai` package for Node, as people use it:   node openai_client.mjs INPUT OUTPUT NODE_MODULES
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";

const [input, output, modules] = process.argv.slice(2);
const installed = createRequire(`${modules}/`);
const { OpenAI } = installed("openai");
const { zodResponseFormat } = installed("openai/helpers/zod");
const { z } = installed("zod");

const told = JSON.parse(readFileSync(input, "utf8"));
// A key that is missing is still sent: the package insists on one.
const { retries: maxRetries = 0, timeout = 100 } = told.given;
const client = new OpenAI({ baseURL: told.base_url, apiKey: told.api_key ?? "none", maxRetries, timeout: timeout * 1000 });
const system = told.system ? [{ role: "system", content: told.system }] : [];
const messages = (prompt) => [...system, { role: "user", content: prompt ?? given("prompt") }];

/** What the scenario says beside the task. */
function given(name) {
  if (name in told.given) return told.given[name];
  console.error(`the task needs \`${name}\`: write it into the table below the step`);
  process.exit(1);
}

const asked = { model: told.model, ...told.params };

const calls = (message) =>
  (message.tool_calls ?? []).map((call) => ({ name: call.function.name, arguments: JSON.parse(call.function.arguments) }));

function plain(completion) {
  const [choice] = completion.choices;
  const { content: text } = choice.message;
  const made = calls(choice.message);
  return { id: completion.id, text, finish_reason: choice.finish_reason, usage: completion.usage, ...(made.length && { calls: made }) };
}

function resultOf(tool, args) {
  const fits = (one) => one.tool === tool && Object.entries(one.when ?? {}).every(([name, value]) => args[name] === value);
  return told.results.find(fits)?.content ?? JSON.stringify({ error: `${tool} has no result for ${JSON.stringify(args)}` });
}

const tasks = {
  async models() {
    const found = [];
    for await (const model of client.models.list()) found.push(model.id);
    return { models: found };
  },
  async retrieve() {
    return { id: (await client.models.retrieve(told.model)).id };
  },
  async chat() {
    return plain(await client.chat.completions.create({ ...asked, messages: messages() }));
  },
  async stream() {
    const came = { text: "", pieces: 0, finish_reason: null, usage: null };
    const options = { stream: true, stream_options: { include_usage: true } };
    for await (const chunk of await client.chat.completions.create({ ...asked, messages: messages(), ...options })) {
      for (const choice of chunk.choices) {
        came.text += choice.delta.content ?? "";
        came.pieces += choice.delta.content ? 1 : 0;
        came.finish_reason = choice.finish_reason ?? came.finish_reason;
      }
      came.usage = chunk.usage ?? came.usage;
    }
    return came;
  },
  async stream_helper() {
    return plain(await client.chat.completions.stream({ ...asked, messages: messages() }).finalChatCompletion());
  },
  /** Asks, answers the calls, and asks for the answer. */
  async tools() {
    const talk = messages();
    const made = [];
    for (let round = 0; round < 4; round++) {
      const completion = await client.chat.completions.create({ ...asked, messages: talk });
      const { message } = completion.choices[0];
      if (!message.tool_calls?.length) return { ...plain(completion), calls: made };
      talk.push(message);
      for (const call of message.tool_calls) {
        const args = JSON.parse(call.function.arguments);
        made.push({ name: call.function.name, arguments: args });
        talk.push({ role: "tool", tool_call_id: call.id, content: resultOf(call.function.name, args) });
      }
    }
    return { calls: made, text: null };
  },
  /** The package's own loop. */
  async run_tools() {
    const made = [];
    const own = (tool) => ({
      type: "function",
      function: {
        ...tool.function,
        parse: JSON.parse,
        function: (args) => {
          made.push({ name: tool.function.name, arguments: args });
          return resultOf(tool.function.name, args);
        },
      },
    });
    const loop = client.chat.completions.runTools({ ...asked, messages: messages(), tools: told.params.tools.map(own) });
    return { text: await loop.finalContent(), calls: made };
  },
  async multi_turn() {
    const [first, ...rest] = given("turns");
    const talk = messages(first);
    const texts = [];
    for (const following of [...rest, null]) {
      const completion = await client.chat.completions.create({ ...asked, messages: talk });
      texts.push(completion.choices[0].message.content);
      talk.push({ role: "assistant", content: texts.at(-1) }, { role: "user", content: following });
    }
    return { texts };
  },
  async parse() {
    const City = z.object({ name: z.string(), capital: z.boolean() });
    const format = zodResponseFormat(City, "city");
    const [choice] = (await client.chat.completions.parse({ ...asked, messages: messages(), response_format: format })).choices;
    return { parsed: choice.message.parsed, finish_reason: choice.finish_reason };
  },
  /** Closes the stream after some chunks. */
  async abort() {
    const wanted = given("events");
    let events = 0;
    const chunks = await client.chat.completions.create({ ...asked, messages: messages(), stream: true });
    for await (const _ of chunks) {
      if (++events === wanted) break;
    }
    return { events };
  },
  async embeddings() {
    const { data } = await client.embeddings.create({ model: told.model, input: given("texts") });
    return { lengths: data.map((one) => one.embedding.length), indexes: data.map((one) => one.index) };
  },
};

function described(error) {
  const { status, code, type, param } = error;
  const facts = { status, code, type, param };
  const known = Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined && value !== null));
  return { class: error.constructor.name, message: error.message, ...known };
}

let outcome;
try {
  outcome = await tasks[told.task]();
} catch (error) {
  // Whatever it is, a program of this kind would meet it.
  outcome = { error: described(error) };
}
writeFileSync(output, JSON.stringify(outcome));
