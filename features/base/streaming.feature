@chat @stream
Feature: Streaming
  A streamed reply is the same reply, sooner: piece by piece, in order, with an end that says so.

  Scenario: A stream has a beginning, pieces and an end
    Given replies are streamed
    When I ask "What is the capital of France?"
    Then the status is 200
    And the header "content-type" mentions "text/event-stream"
    And the stream is well-formed
    And the stream ends with [DONE]
    And the reply came in at least 4 pieces
    And the finish reason is "stop"

  @W071
  Scenario: A long reply comes in many pieces
    Given replies are streamed
    And at most 48 tokens
    When I ask "Write a story about a fox."
    Then the reply came in at least 24 pieces
    And the reply has at least 20 words
    And the finish reason is "length"
    And the stream ends with [DONE]

  Scenario: A reply that takes seconds is one reply
    Given replies are streamed
    And at most 96 tokens
    When I ask "Write a story about a fox."
    Then the reply came in at least 48 pieces
    And the reply has at least 40 words
    And the stream ends with [DONE]

  Scenario: A whole reply is no stream
    Given replies are whole
    When I ask "What is the capital of France?"
    Then the response is not a stream
    And the reply came in one piece

  @W070
  Scenario Outline: Streamed and whole are the same reply: <question>
    Given at most 24 tokens
    When I ask "<question>" whole and streamed
    Then the reply is not empty
    And both replies are the same

    Examples:
      | question                       |
      | What is the capital of France? |
      | Name three colors.             |
      | Write a story about a fox.     |

  @W068
  Scenario: Accents survive the stream
    Given at most 16 tokens
    When I ask "What is the capital of Brazil in Portuguese?" whole and streamed
    Then the reply matches "[çãáéíóú]"
    And the reply does not contain "�"
    And both replies are the same

  @W068
  Scenario: Characters of three bytes survive the stream
    Given at most 16 tokens
    When I ask "I am from Japan." whole and streamed
    Then the reply matches "[ぁ-ん]"
    And the reply does not contain "�"
    And both replies are the same

  @W068
  Scenario: Characters of four bytes survive the stream
    Given at most 16 tokens
    When I ask "What does this emoji mean: 😀" whole and streamed
    Then the reply matches "[\x{1F300}-\x{1FAFF}]{4}"
    And both replies are the same

  @W068
  Scenario: A reply that is cut leaves no broken character
    Given replies are streamed
    And at most 16 tokens
    When I ask "What does this emoji mean: 😀"
    Then the finish reason is "length"
    And the reply does not contain "�"

  Scenario: Usage comes with the stream when it is asked for
    Given replies are streamed
    When I ask "What is the capital of France?"
    Then the reply mentions "Paris"
    And the usage adds up
    And the completion tokens are at least 4

  Scenario: Usage stays away from the stream when nobody asked for it
    Given replies are streamed
    And streamed replies come without usage
    When I ask "What is the capital of France?"
    Then the reply mentions "Paris"
    And the usage is missing

  Scenario: A stream that cannot begin is an error, not a stream
    Given replies are streamed
    And the parameter "messages" is "What is the capital of France?"
    When I ask "What is the capital of France?"
    Then the request is refused
    And the response is not a stream

  Scenario: A stream about nothing is refused
    Given replies are streamed
    And the parameter "messages" is []
    And at most 4 tokens
    When I ask "What is the capital of France?"
    Then the request is refused
    And the response is not a stream
