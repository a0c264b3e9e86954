@chat @stream
Feature: Clients that leave the router
  A client hangs up at the router. The server behind it must be told, and stop: its own figures show it.

  # 1500 tokens take this server 15 s and more; nobody waits for them to end.
  @serial
  Scenario Outline: A client of <model> hangs up in the middle of a stream, and the service <service> stops
    Given the model "<model>"
    And at most 1500 tokens
    And the parameter "ignore_eos" is true
    When I ask "Write a story about a fox." and hang up after 5 events
    Then the service "<service>" is idle within 5s
    Examples:
      | model      | service |
      | smollm2    | backend |
      | smollm2-q4 | second  |

  @destructive
  Scenario: A client gives up waiting for a whole reply, and the backend stops
    Given replies are whole
    And at most 1500 tokens
    And the parameter "ignore_eos" is true
    When I ask "Write a story about a fox." and hang up after 2s
    Then the service "backend" is idle within 5s

  @serial
  Scenario: Clients of both models hang up, and the next one is served by each
    Given at most 200 tokens
    When I ask "Write a story about a fox." and hang up after 5 events
    Given the model "smollm2-q4"
    When I ask "Write a story about a fox." and hang up after 5 events
    Given replies are whole
    And at most 16 tokens
    When I ask "What is the capital of Germany?"
    Then the reply mentions "Berlin"
    Given the model "smollm2"
    When I ask "What is the capital of Germany?"
    Then the reply mentions "Berlin"
