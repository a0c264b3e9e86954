Feature: Smoke
  Five quick scenarios for a first run: is the stack alive, does it answer, and does it say no when it should?

  Scenario: The models are listed
    When I list the models
    Then the models list is well-formed
    And the models include "text"

  Scenario: A plain question gets a plain answer
    When I ask "What is the capital of France?"
    Then the reply mentions "Paris"
    And the finish reason is "stop"
    And the usage adds up

  @stream
  Scenario: The same answer can be streamed
    Given replies are streamed
    When I ask "What is the capital of France?"
    Then the reply mentions "Paris"
    And the reply came in more than one piece
    And the stream ends with [DONE]

  Scenario: The reply ends at the token limit
    Given at most 8 tokens
    When I ask "Write a story about a fox."
    Then the finish reason is "length"
    And the completion tokens are 8

  Scenario: A broken request is refused and the server stays up
    When I send a chat request:
      """
      {"messages": [
      """
    Then the request is refused
    And the server is still up
