@chat @stream @destructive
Feature: Shutdown
  The stack is told to stop (SIGTERM) while it streams. It ends within its bound, by itself; a client can tell a whole reply
  from a piece of one; and the stack comes back.

  Scenario: A stack that nobody asks stops at once
    When I stop the stack
    Then the stack stopped within 5s

  Scenario: A short stream comes to its end while the stack stops
    Given at most 100 tokens
    And the parameter "ignore_eos" is true
    When I ask "Write a story about a fox." and stop the stack after 5 events
    Then the stack stopped within 10s
    And the stream ends whole or with an error
    And the stream ends with [DONE]

  Scenario: A long stream does not hold up the end of the stack
    Given at most 3000 tokens
    And the parameter "ignore_eos" is true
    When I ask "Write a story about a fox." and stop the stack after 5 events
    Then the stack stopped within 10s

  Scenario: A long stream that the end of the stack cuts says so
    Given at most 3000 tokens
    And the parameter "ignore_eos" is true
    When I ask "Write a story about a fox." and stop the stack after 5 events
    Then the stream ends whole or with an error

  Scenario: A client that left does not hold up the end of the stack
    Given replies are whole
    And at most 3000 tokens
    And the parameter "ignore_eos" is true
    When I ask "Write a story about a fox." and hang up after 2s
    And I stop the stack
    Then the stack stopped within 10s

  Scenario: A stack that was stopped during a stream comes back as it was
    Given at most 100 tokens
    And the parameter "ignore_eos" is true
    When I ask "Write a story about a fox." and stop the stack after 5 events
    And I start the stack again
    Given at most 16 tokens
    And the parameter "ignore_eos" is left out
    And replies are whole
    When I ask "What is the capital of Germany?"
    Then the reply mentions "Berlin"
    Given the model "smollm2-q4"
    When I ask "What is the capital of Germany?"
    Then the reply mentions "Berlin"
