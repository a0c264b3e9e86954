@chat @thinking
Feature: Thinking
  What a model thinks is neither said nor called: it comes in a field of its own, first, and only where it is wanted.

  Background:
    Given the model "reasoning"
    And thinking is on
    And at most 128 tokens

  @W116
  Scenario: A thought comes apart from the answer, <delivery>
    Given replies are <delivery>
    When I ask "What is the capital of France?"
    Then the reply has reasoning
    And the reasoning mentions "France"
    And the reply mentions "Paris"
    And the reply does not repeat the reasoning
    And no marker is left in the reply
    And the finish reason is "stop"

  Scenario: An answer begins with its first word, whatever was thought before it
    When I ask "What is the capital of France?"
    Then the reply has reasoning
    And the reply does not match "^\s"
    And the reply mentions "Paris"

  Scenario: A streamed thought comes before the answer
    Given replies are streamed
    When I ask "What is the capital of Greece?"
    Then the stream is well-formed
    And the reasoning comes before the answer
    And the reply mentions "Athens"

  Scenario: Every part of a streamed answer has its time
    Given replies are streamed
    When I ask "What is the capital of Spain?"
    Then the first byte comes within 30s
    And the first role comes within 30s
    And the first thought comes within 40s
    And the first text comes within 50s
    And the reply mentions "Madrid"

  Scenario: Whole and streamed, it is the same thought
    Given replies are whole
    When I ask "What is the capital of France?"
    Then the reasoning mentions "the capital of France"
    And the reply mentions "Paris"
    Given replies are streamed
    When I ask "What is the capital of France?"
    Then the reasoning mentions "the capital of France"
    And the reply mentions "Paris"

  Scenario: With thinking off nothing is thought, <delivery>
    Given thinking is off
    And replies are <delivery>
    When I ask "What is the capital of France?"
    Then the reply has no reasoning
    And the reply mentions "Paris"
    And no marker is left in the reply

  Scenario: Thinking is switched from turn to turn
    When I ask "What is the capital of France?"
    Then the reply has reasoning
    Given thinking is off
    When I continue with "What is the capital of Germany?"
    Then the reply has no reasoning
    And the reply mentions "Berlin"
    And no marker is left in the reply
    Given thinking is on
    When I continue with "What is the capital of Greece?"
    Then the reply has reasoning
    And no marker is left in the reply

  Scenario: An effort makes the model think, <delivery>
    Given the parameter "chat_template_kwargs" is left out
    And the thinking effort is "low"
    And replies are <delivery>
    When I ask "What is the capital of France?"
    Then the reply has reasoning
    And the reply mentions "Paris"
    And no marker is left in the reply

  Scenario: Without effort nothing is thought, <delivery>
    Given the parameter "chat_template_kwargs" is left out
    And the thinking effort is "none"
    And replies are <delivery>
    When I ask "What is the capital of France?"
    Then the reply has no reasoning
    And the reply mentions "Paris"
    And no marker is left in the reply

  Scenario: A budget ends the thought, and not the answer, <delivery>
    Given thinking has at most 10 tokens
    And replies are <delivery>
    When I ask "What is the capital of France?"
    Then the reasoning has at most 10 words
    And the reply mentions "Paris"
    And no marker is left in the reply

  Scenario: A thought that a budget cuts in the middle stays apart from the answer, <delivery>
    Given thinking has at most 4 tokens
    And replies are <delivery>
    When I ask "What is the capital of France?"
    Then the reply mentions "Paris"
    And no marker is left in the reply

  Scenario: A thought that is cut says so, and is no answer, <delivery>
    Given at most 6 tokens
    And replies are <delivery>
    When I ask "What is the capital of France?"
    Then the finish reason is "length"
    And the reply has reasoning
    And the reply is empty
    And no marker is left in the reply

  Scenario: Thoughts are part of what is billed, <delivery>
    Given replies are <delivery>
    When I ask "What is the capital of France?"
    Then the usage adds up
    And the reply mentions "Paris"
    And the completion tokens are at least 16
    And the reasoning tokens are part of the completion tokens

  @tools @W119
  Scenario: A thought comes apart from a tool call, <delivery>
    Given the model "tools"
    And the tools get_weather
    And replies are <delivery>
    When I ask "What is the weather in Paris?"
    Then the reply calls get_weather once with:
      | city | Paris |
    And the reply has reasoning
    And every tool call fits its schema
    And no marker is left in the reply
    And the finish reason is "tool_calls"

  @tools
  Scenario: A streamed thought comes before a tool call
    Given the model "tools"
    And the tools get_weather
    And replies are streamed
    When I ask "What is the weather in London?"
    Then the reasoning comes before the answer
    And the first tool call comes within 60s
    And the reply calls get_weather

  @tools @W121
  Scenario: The thought before a call may go back with it, <delivery>
    Given the model "tools"
    And the tools get_weather
    And replaying reasoning is on
    And replies are <delivery>
    When I ask "What is the weather in Paris?"
    Then the reply has reasoning
    When I answer the tool calls
    Then the reply mentions one of:
      | 18     |
      | cloudy |
    And no marker is left in the reply

  @tools
  Scenario: The thought before a call may stay away, <delivery>
    Given the model "tools"
    And the tools get_weather
    And replaying reasoning is off
    And replies are <delivery>
    When I ask "What is the weather in Paris?"
    Then the reply has reasoning
    When I answer the tool calls
    Then the reasoning mentions "cloudy"
    And no marker is left in the reply

  @tools
  Scenario: A thinking model that needs no tool calls none
    Given the model "tools"
    And the tools get_weather
    When I ask "Hello!"
    Then the reply calls no tool
    And the reply has reasoning
    And the reply mentions "Hello"
    And no marker is left in the reply

  @json_schema @W119
  Scenario: JSON after a schema is whole beside its thought, <delivery>
    Given replies are <delivery>
    And replies fit the schema:
      """
      type: object
      properties: {capital: {type: string, maxLength: 20}}
      required: [capital]
      additionalProperties: false
      """
    When I ask "What is the capital of France?"
    Then the reply fits its schema
    And the reply has reasoning
    And no marker is left in the reply
    And the finish reason is "stop"

  @W121
  Scenario: A history with thoughts is read, <delivery>
    Given replaying reasoning is on
    And replies are <delivery>
    When I ask "What is the capital of France?"
    Then the reply has reasoning
    When I continue with "What is the capital of Greece?"
    Then the reply has reasoning
    And the reply mentions "Athens"
    And the prompt tokens are more than before
    And no marker is left in the reply

  Scenario: Four who think at once do not hear each other
    When I ask at once:
      | ask                             | answer |
      | What is the capital of France?  | Paris  |
      | What is the capital of Germany? | Berlin |
      | What is the capital of Greece?   | Athens   |
      | What is the capital of Spain?   | Madrid |
    Then each reply mentions its "answer"
