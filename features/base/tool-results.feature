@chat @tools
Feature: Tool results
  A result must reach the model under the id of its call, and the model's own message must be accepted back as it came.

  Background:
    Given the model "tools"
    And at most 96 tokens
    And the tools get_weather

  @W095
  Scenario: A result is used in the answer, <delivery>
    Given replies are <delivery>
    When I ask "What is the weather in Paris?"
    Then the reply calls get_weather
    When I answer the tool calls
    Then the reply mentions "18"
    And the reply calls no tool
    And the finish reason is "stop"

  Scenario: Another result makes another answer
    Given the tool get_weather returns {"city": "Paris", "degrees": 31, "sky": "snow"}
    When I ask "What is the weather in Paris?"
    Then the reply calls get_weather
    When I answer the tool calls
    Then the reply mentions "31"
    And the reply mentions "snow"

  Scenario: The result of the right arguments is given
    Given the tool get_weather returns:
      | city  | result                                            |
      | Paris | {"city": "Paris", "degrees": 11, "sky": "rain"}   |
      | Rome  | {"city": "Rome", "degrees": 25, "sky": "clear"}   |
    When I ask "What is the weather in Rome?" and run the tools
    Then the calls in order are get_weather
    And the reply mentions "25"

  Scenario: Tools are run until the model answers, <delivery>
    Given replies are <delivery>
    When I ask "What is the weather in Paris?" and run the tools for at most 3 rounds
    Then the tools were run in 1 round
    And the calls in order are:
      | tool        | arguments         |
      | get_weather | {"city": "Paris"} |
    And the reply mentions "18"

  Scenario: A required call does not force another one after its result
    Given the tool choice is required
    When I ask "What is the weather in Paris?" and run the tools for at most 2 rounds
    Then the tools were run in 1 round
    And the reply mentions "18"

  @W096
  Scenario Outline: Calls are taken back with <content> content beside them
    Given tool calls go back with <content> content
    When I ask "What is the weather in Paris?" and run the tools for at most 2 rounds
    Then the request succeeds
    And the reply mentions "18"

    Examples:
      | content |
      | null    |
      | empty   |
      | absent  |

  @parallel_tools
  Scenario: Results of two calls find their calls
    Given the tool choice is required
    And parallel tool calls are on
    And the tool get_weather returns:
      | city   | result                                           |
      | Paris  | {"city": "Paris", "degrees": 18, "sky": "clear"} |
      | London | {"city": "London", "degrees": 9, "sky": "rain"}  |
    When I ask "What is the weather in Paris and in London?"
    Then the reply calls get_weather 2 times
    When I answer the tool calls
    Then the reply mentions "18"
    And every tool call has an id of its own

  @parallel_tools @W097
  Scenario: Results are taken in any order
    Given the tool choice is required
    And parallel tool calls are on
    And the tool get_weather returns:
      | city   | result                                           |
      | Paris  | {"city": "Paris", "degrees": 18, "sky": "clear"} |
      | London | {"city": "London", "degrees": 9, "sky": "rain"}  |
    When I ask "What is the weather in Paris and in London?"
    Then the reply calls get_weather 2 times
    When I answer the tool calls in reverse order
    Then the request succeeds
    And the reply is not empty

  Scenario: A failed tool is told to the model
    Given the tool get_weather fails with "the station does not answer"
    When I ask "What is the weather in Paris?" and run the tools for at most 2 rounds
    Then the request succeeds
    And the reply is not empty

  Scenario: The conversation goes on after a tool
    When I ask "What is the weather in Paris?" and run the tools for at most 2 rounds
    And I continue with "What is the capital of France?"
    Then the reply mentions "Paris"

  @W098
  Scenario: A result without its call is refused, or harms nobody
    When I send a chat request:
      """
      {"model": "{{model}}", "temperature": 0, "max_tokens": 8, "messages": [
        {"role": "user", "content": "What is the weather in Paris?"},
        {"role": "tool", "tool_call_id": "call_1", "content": "18"}]}
      """
    Then the status is one of 200, 400, 422
    And the server is still up

  @W098
  Scenario: A call without its result is refused, or harms nobody
    When I send a chat request:
      """
      {"model": "{{model}}", "temperature": 0, "max_tokens": 8, "messages": [
        {"role": "user", "content": "What is the weather in Paris?"},
        {"role": "assistant", "content": null, "tool_calls": [
          {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": "{\"city\": \"Paris\"}"}}]},
        {"role": "user", "content": "Well?"}]}
      """
    Then the status is one of 200, 400, 422
    And the server is still up
