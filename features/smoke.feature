Feature: Smoke
  A first run: is the stack alive, does it answer, does it say no when it should, and does it do what its setup claims?

  @models
  Scenario: The models are listed
    When I list the models
    Then the models list is well-formed
    And the models include "text"

  @chat
  Scenario: A plain question gets a plain answer
    When I ask "What is the capital of France?"
    Then the reply mentions "Paris"
    And the finish reason is "stop"
    And the usage adds up

  @chat @stream
  Scenario: The same answer can be streamed
    Given replies are streamed
    When I ask "What is the capital of France?"
    Then the reply mentions "Paris"
    And the reply came in more than one piece
    And the stream ends with [DONE]

  @chat
  Scenario: The reply ends at the token limit
    Given at most 8 tokens
    When I ask "Write a story about a fox."
    Then the finish reason is "length"
    And the completion tokens are 8

  @chat
  Scenario: A broken request is refused and the server stays up
    When I send a chat request:
      """
      {"messages": [
      """
    Then the request is refused
    And the server is still up

  @chat @tools
  Scenario: The right tool is called with the right arguments, and its result is used
    Given at most 96 tokens
    And the tools get_weather, get_time
    When I ask "What is the weather in Paris?"
    Then the reply calls get_weather once with:
      | city | Paris |
    And the finish reason is "tool_calls"
    When I answer the tool calls
    Then the reply mentions "18"

  @chat @thinking
  Scenario: A thought comes apart from the answer
    Given thinking is on
    And at most 128 tokens
    When I ask "What is the capital of France?"
    Then the reply has reasoning
    And the reply mentions "Paris"
    And no marker is left in the reply

  @embeddings
  Scenario: Texts become vectors, and alike texts alike vectors
    When I embed:
      | A cat sits on the mat.            |
      | A kitten lies on the carpet.      |
      | The bank raised its interest rate. |
    Then 3 embeddings come back
    And every embedding has the same length
    And the embeddings are numbered in order
    And embedding 1 is nearer to 2 than to 3
