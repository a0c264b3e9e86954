@chat
Feature: The openai packages
  What people's programs do: the openai packages for Python and Node, as they are published, drive the stack. What the
  package raises fails the scenario, and each exchange that it makes is held to the rules of the wire.

  @models
  Scenario: <client> lists the models
    When the client <client> does "models"
    Then the client's "models" mentions "{{model}}"
    And the models list is well-formed

  @model_get
  Scenario: <client> gets a model
    When the client <client> does "retrieve"
    Then the client's "id" is "{{model}}"

  Scenario: <client> asks and gets an answer
    When the client <client> does "chat" with:
      | prompt | What is the capital of France? |
    Then the client's "text" mentions "Paris"
    And the client's "finish_reason" is "stop"
    And the client's "usage.completion_tokens" is an integer
    And the client made 1 requests
    And the reply mentions "Paris"
    And the usage adds up

  Scenario: <client> obeys the token limit
    Given at most 8 tokens
    When the client <client> does "chat" with:
      | prompt | Write a story about a fox. |
    Then the client's "finish_reason" is "length"
    And the client's "usage.completion_tokens" is 8

  Scenario: <client> sends a system prompt
    Given the system prompt "You are a teacher. Answer in one sentence."
    When the client <client> does "chat" with:
      | prompt | What is the capital of Japan? |
    Then the client's "text" mentions "Tokyo"

  @stream
  Scenario: <client> reads a stream
    When the client <client> does "stream" with:
      | prompt | What is the capital of France? |
    Then the client's "text" mentions "Paris"
    And the client's "finish_reason" is "stop"
    And the client's "usage.total_tokens" exists
    And the reply came in more than one piece
    And the stream ends with [DONE]

  @stream
  Scenario: <client> joins a stream by its own helper
    When the client <client> does "stream_helper" with:
      | prompt | What is the capital of France? |
    Then the client's "text" mentions "Paris"
    And the client's "finish_reason" is "stop"

  @stream @serial
  Scenario: <client> leaves a stream, and the stack serves the next one
    Given at most 400 tokens
    When the client <client> does "abort" with:
      | prompt | Write a story about a fox. |
      | events | 5                          |
    Then the client's "events" is 5
    And the server is still up
    Given at most 16 tokens
    When the client <client> does "chat" with:
      | prompt | What is the capital of France? |
    Then the client's "text" mentions "Paris"

  Scenario: <client> keeps a conversation
    When the client <client> does "multi_turn" with:
      | turns | ["What is the capital of France?", "What is the capital of Germany?"] |
    Then the client's "texts[0]" mentions "Paris"
    And the client's "texts[1]" mentions "Berlin"
    And the client made 2 requests

  @tools
  Scenario: <client> runs the tools
    Given the tools get_weather
    When the client <client> does "tools" with:
      | prompt | What is the weather in Paris? |
    Then the client's "calls" has 1 items
    And the client's "calls[0].name" is "get_weather"
    And the client's "calls[0].arguments.city" is "Paris"
    And the client's "text" mentions "18"
    And the client made 2 requests

  @tools @stream
  Scenario: <client> reads a streamed tool call
    Given the tools get_weather
    When the client <client> does "stream_helper" with:
      | prompt | What is the weather in Paris? |
    Then the client's "finish_reason" is "tool_calls"
    And the client's "calls[0].name" is "get_weather"
    And the client's "calls[0].arguments.city" is "Paris"
    And the reply calls get_weather with:
      | city | "Paris" |

  @tools
  Scenario: openai-node runs the tools by its own loop
    Given the tools get_weather
    When the client openai-node does "run_tools" with:
      | prompt | What is the weather in Paris? |
    Then the client's "calls[0].arguments.city" is "Paris"
    And the client's "text" mentions "18"

  @json_schema
  Scenario: <client> parses a structured answer
    When the client <client> does "parse" with:
      | prompt | Describe Paris as JSON. |
    Then the client's "parsed.name" is a string
    And the client's "parsed.capital" is a boolean
    And the client's "finish_reason" is "stop"

  @embeddings
  Scenario: <client> embeds two texts
    Given the model "embedding"
    When the client <client> does "embeddings" with:
      | texts | ["Paris", "Tokyo"] |
    Then the client's "indexes" is [0, 1]
    And 2 embeddings come back
    And every embedding has the same length

  Scenario: <client> meets a model that is not there
    Given the model "no-such-model"
    When the client <client> tries "chat" with:
      | prompt | Hello |
    Then the client fails with "NotFoundError"
    And the client's "error.status" is 404
    And the client made 1 requests

  @auth
  Scenario: <client> meets a key that is wrong
    Given the API key "sk-wrong"
    When the client <client> tries "chat" with:
      | prompt | Hello |
    Then the client fails with "AuthenticationError"
    And the client's "error.status" is 401
    And the client's "error.message" matches "."

  Scenario: <client> meets a parameter that is refused
    Given the parameter "temperature" is "hot"
    When the client <client> tries "chat" with:
      | prompt | Hello |
    Then the client fails with "BadRequestError"
    And the client's "error.status" is 400
