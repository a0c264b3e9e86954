@chat @tools
Feature: Tool calls
  An agent is as good as its calls: the right tool, arguments that parse and fit, an end that says what happened.

  Background:
    Given the model "tools"
    And at most 96 tokens

  Scenario: The right tool is called with the right argument, <delivery>
    Given the tools get_weather
    And replies are <delivery>
    When I ask "What is the weather in Paris?"
    Then the reply calls get_weather once with:
      | city | Paris |
    And every tool call fits its schema
    And the finish reason is "tool_calls"

  Scenario: One of several tools is chosen, <delivery>
    Given the tools get_weather and get_time
    And replies are <delivery>
    When I ask "What time is it in Berlin?"
    Then the reply calls get_time once with:
      | city | Berlin |
    And the reply does not call get_weather

  Scenario: Numbers arrive as numbers, <delivery>
    Given the tools add
    And replies are <delivery>
    When I ask "What is 2 plus 3?"
    Then the reply calls add with {"a": 2, "b": 3}
    And the argument "b" of add is 3
    And every tool call fits its schema

  Scenario: A greeting calls no tool, <delivery>
    Given the tools get_weather
    And replies are <delivery>
    When I ask "Hello!"
    Then the reply calls no tool
    And the reply mentions "Hello"
    And the finish reason is "stop"

  Scenario: Without tools nothing is called
    When I ask "What is the weather in Paris?"
    Then the reply calls no tool
    And the reply is not empty

  @W100
  Scenario: An empty list of tools is no tools, or refused
    Given the parameter "tools" is []
    When I ask "What is the weather in Paris?"
    Then the status is one of 200, 400, 422
    And the server is still up

  @W099
  Scenario: A tool that takes plain text is called with text, or refused
    Given the parameter "tools" is [{"type": "custom", "custom": {"name": "take_note", "description": "Writes a note down."}}]
    When I ask "What is the capital of France?"
    Then the status is one of 200, 400, 404, 422
    And the server is still up

  @W070
  Scenario: Whole and streamed, the same tool is called
    Given the tools get_weather and get_time
    When I ask "What is the weather in Paris?"
    Then the request succeeds
    Given replies are streamed
    When I ask "What is the weather in Paris?"
    Then the reply calls get_weather once with:
      | city | Paris |
    And the finish reason is "tool_calls"

  @parallel_tools
  Scenario: Two questions are two calls, <delivery>
    Given the tools get_weather
    And parallel tool calls are on
    And replies are <delivery>
    When I ask "What is the weather in Paris and in London?"
    Then the reply calls get_weather 2 times
    And the calls in order are:
      | tool        | arguments          |
      | get_weather | {"city": "Paris"}  |
      | get_weather | {"city": "London"} |
    And every tool call fits its schema
    And every tool call has an id of its own

  @parallel_tools
  Scenario: With parallel calls off there is one call at most
    Given the tools get_weather
    And the tool choice is required
    And parallel tool calls are off
    When I ask "What is the weather in Paris and in London?"
    Then the reply has 1 tool call

  Scenario: A free choice is what no choice is
    Given the tools get_weather
    And the tool choice is auto
    When I ask "What is the weather in Paris?"
    Then the reply calls get_weather with {"city": "Paris"}

  Scenario: A required call is made
    Given the tools get_weather and get_time
    And the tool choice is required
    When I ask "What is the weather in Paris?"
    Then the reply calls get_weather
    And every tool call fits its schema
    And the finish reason is "tool_calls"

  Scenario: A forbidden call is not made, and none is written into the text
    Given the tools get_weather
    And the tool choice is none
    When I ask "What is the weather in Paris?"
    Then the reply calls no tool
    And the reply is not empty
    And the reply does not contain "<tool_call>"

  Scenario: A tool that must be called is called, whatever the question wants
    Given the tools get_weather and get_time
    And the model must call get_time
    When I ask "What is the weather in Paris?"
    Then the reply calls get_time
    And the reply does not call get_weather

  Scenario: A choice without tools is refused
    Given the tool choice is required
    When I ask "What is the weather in Paris?"
    Then the request is refused

  Scenario: A tool that must be called has to be offered
    Given the tools get_weather
    And the parameter "tool_choice" is {"type": "function", "function": {"name": "get_lost"}}
    When I ask "What is the weather in Paris?"
    Then the request is refused

  @stream
  Scenario: Arguments stream in pieces
    Given the tools get_weather
    And replies are streamed
    When I ask "What is the weather in Paris?"
    Then the call of get_weather came in at least 2 pieces
    And the reply calls get_weather with {"city": "Paris"}

  @parallel_tools @stream
  Scenario: Streamed pieces of two calls are not mixed up
    Given the tools get_weather
    And the tool choice is required
    And parallel tool calls are on
    And replies are streamed
    When I ask "What is the weather in Oslo and in Rome?"
    Then the reply has 2 tool calls
    And every tool call fits its schema
    And every tool call has an id of its own
