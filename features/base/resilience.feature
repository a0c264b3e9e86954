@chat @stream @serial
Feature: Clients that leave
  Clients hang up. The server must notice, stop working for them, and serve the next one.

  @W012
  Scenario: A client hangs up in the middle of a stream, and the next one is served
    Given at most 200 tokens
    When I ask "Write a story about a fox." and hang up after 5 events
    Then the server is still up
    When I ask "What is the capital of France?"
    Then the reply mentions "Paris"
    And the finish reason is "stop"

  @request_metrics @W012
  Scenario: A client hangs up in the middle of a stream, and the server's own figures show that it stops
    Given at most 1500 tokens
    And the parameter "ignore_eos" is true
    When I ask "Write a story about a fox." and hang up after 5 events
    Then the server is idle within 5s

  Scenario: Several clients hang up one after another, and the server is still up
    Given at most 200 tokens
    When I ask "Write a story about a fox." and hang up after 3 events
    And I ask "Write a story about a fox." and hang up after 3 events
    And I ask "Write a story about a fox." and hang up after 3 events
    Then the server is still up

  @destructive
  Scenario: A client gives up waiting for a whole reply, and the next one is served
    Given replies are whole
    And at most 100 tokens
    When I ask "Write a story about a fox." and hang up after 500ms
    And I ask "What is the capital of France?"
    Then the reply mentions "Paris"

  @destructive @W012
  Scenario: After a client that left, the server works for the next one alone
    Given replies are streamed
    And at most 400 tokens
    When I ask "Write a story about a fox." and hang up after 5 events
    Given at most 16 tokens
    And replies are whole
    When I ask "What is the capital of France?"
    Then the reply mentions "Paris"
    And the reply ends within 10s

  @destructive
  Scenario: Clients that give up waiting leave no work behind
    Given replies are whole
    And at most 400 tokens
    When I ask "Write a story about a fox." and hang up after 400ms
    And I ask "Write a story about a fox." and hang up after 400ms
    And I ask "Write a story about a fox." and hang up after 400ms
    And I ask "Write a story about a fox." and hang up after 400ms
    And I ask "Write a story about a fox." and hang up after 400ms
    And I ask "Write a story about a fox." and hang up after 400ms
    And I ask "Write a story about a fox." and hang up after 400ms
    And I ask "Write a story about a fox." and hang up after 400ms
    Given at most 16 tokens
    And the time limit is 10s
    When I ask "What is the capital of France?"
    Then the reply mentions "Paris"
    And the reply ends within 8s
